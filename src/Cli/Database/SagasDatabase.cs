using Npgsql;
using Sagas.Cli.CommandLine;
using Sagas.Database;
using Sagas.Persistence;

namespace Sagas.Cli.Database;

/// <summary>The services' database, for the length of one command.</summary>
internal sealed class SagasDatabase : IAsyncDisposable
{
    private const int ConnectTimeoutSeconds = 5;

    private static readonly TimeSpan _retryInterval = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _source;
    private readonly Lock _lock = new();
    private Task _return = Task.CompletedTask;

    private SagasDatabase(NpgsqlDataSource source) => _source = source;

    /// <summary>The connections, for code of the services.</summary>
    public NpgsqlDataSource Source => _source;

    /// <summary>Connects.</summary>
    /// <exception cref="CommandException">The database cannot be reached or refuses the login.</exception>
    public static async Task<SagasDatabase> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "sagas command line" };
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            throw new CommandException(
                ExitCode.Usage,
                $"{CommandOptions.PostgresName} (or {Connections.PostgresVariable}) must be a connection string such as "
                    + $"Host=localhost;Port=5432;Database=sagas;Username=sagas;Password=secret: {exception.Message}",
                exception
            );
        }

        if (!connectionString.Contains("Timeout", StringComparison.OrdinalIgnoreCase))
            settings.Timeout = ConnectTimeoutSeconds;
        // The slim builder starts faster; these are the parts of the whole one that are needed.
        var source = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString).EnableArrays().EnableTransportSecurity().Build();
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            return new SagasDatabase(source);
        }
        catch (Exception exception) when (DatabaseFaults.Classify(exception) is not DatabaseFault.None)
        {
            await source.DisposeAsync();
            throw new CommandException(ExitCode.CannotConnect, CannotConnect(settings, exception), exception);
        }
    }

    /// <summary>Runs work that can be run again, and runs it again after each outage of the database.</summary>
    /// <typeparam name="T">Its result.</typeparam>
    /// <exception cref="CommandException">The database is available again and refuses the login.</exception>
    public async Task<T> RetryWhileUnavailableAsync<T>(
        Func<Task<T>> work,
        Action<string> report,
        TimeProvider timeProvider,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            try
            {
                return await work();
            }
            catch (Exception exception)
                when (DatabaseFaults.Classify(exception) is DatabaseFault.Transient && !cancellationToken.IsCancellationRequested)
            {
                await ReturnAsync(exception, report, timeProvider, cancellationToken);
            }
        }
    }

    /// <summary>Reads rows.</summary>
    /// <typeparam name="T">What a row becomes.</typeparam>
    /// <exception cref="CommandException">The tables do not exist.</exception>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(
        string sql,
        Func<Row, T> row,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        await using var command = _source.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        try
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellationToken))
                rows.Add(row(new Row(reader)));
            return rows;
        }
        catch (PostgresException exception)
            when (exception.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"The database schema is out of date ({exception.MessageText}). Run `sagas migrate`, or start the services, "
                    + "which migrate it.",
                exception
            );
        }
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private Task ReturnAsync(
        Exception exception,
        Action<string> report,
        TimeProvider timeProvider,
        CancellationToken cancellationToken
    )
    {
        lock (_lock)
            return _return.IsCompleted ? _return = WaitAsync() : _return;

        async Task WaitAsync()
        {
            report(
                $"Postgres is unavailable ({exception.Message.TrimEnd('.')}); waiting to reconnect. After Ctrl-C, the same "
                    + "command continues later."
            );
            do await Task.Delay(_retryInterval, timeProvider, cancellationToken);
            while (!await IsBackAsync(cancellationToken));
            report("Postgres is available again; continuing.");
        }
    }

    private async Task<bool> IsBackAsync(CancellationToken cancellationToken)
    {
        // The pooled connections are broken.
        _source.Clear();
        try
        {
            // A standby can do nothing of what is retried.
            return await DatabaseAccess.IsWritableAsync(_source, cancellationToken);
        }
        catch (Exception exception) when (DatabaseFaults.Classify(exception) is DatabaseFault.Transient)
        {
            return false;
        }
        catch (NpgsqlException exception)
        {
            var settings = new NpgsqlConnectionStringBuilder(_source.ConnectionString);
            throw new CommandException(ExitCode.CannotConnect, CannotConnect(settings, exception), exception);
        }
    }

    private static string CannotConnect(NpgsqlConnectionStringBuilder settings, Exception exception)
    {
        var isLogin =
            exception is PostgresException
            {
                SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification
            };
        var why = exception switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword } => $"the password of {settings.Username} is wrong",
            PostgresException postgres => postgres.MessageText,
            { InnerException: { } inner } => inner.Message,
            _ => exception.Message,
        };
        var database = settings.Database is { Length: > 0 } name ? $", database {name}" : "";
        var user = settings.Username is { Length: > 0 } login ? $", user {login}" : "";
        var (option, variable) = (CommandOptions.PostgresName, Connections.PostgresVariable);
        var advice = isLogin
            ? Connections.WhenLoginFails(option, variable, "POSTGRES_PASSWORD")
            : Connections.WhenUnavailable("database", option, variable);
        return $"""
            Cannot connect to Postgres at {settings.Host}:{settings.Port}{database}{user}: {why.TrimEnd('.')}.
            {advice}
            """;
    }
}
