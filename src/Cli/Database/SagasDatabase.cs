using Npgsql;
using Sagas.Cli.CommandLine;
using Sagas.Persistence;

namespace Sagas.Cli.Database;

/// <summary>The services' database, for the length of one command.</summary>
internal sealed class SagasDatabase : IAsyncDisposable
{
    private const int PatienceSeconds = 5;

    private static readonly TimeSpan _betweenAttempts = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _source;
    private readonly Lock _lock = new();
    private Task _return = Task.CompletedTask;

    private SagasDatabase(NpgsqlDataSource source) => _source = source;

    /// <summary>The connections, for what runs statements of its own.</summary>
    public NpgsqlDataSource Source => _source;

    /// <summary>Connects.</summary>
    /// <param name="connectionString">Npgsql's.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="CommandException">The database cannot be reached or does not let us in.</exception>
    public static async Task<SagasDatabase> OpenAsync(string connectionString, CancellationToken stop)
    {
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "sagas command line" };
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            throw new CommandException(ExitCode.Usage, $"The Postgres connection string cannot be read: {exception.Message}", exception);
        }

        if (!connectionString.Contains("Timeout", StringComparison.OrdinalIgnoreCase))
            settings.Timeout = PatienceSeconds;
        // The slim builder starts faster; of what it leaves out, these are needed.
        var source = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString).EnableArrays().EnableTransportSecurity().Build();
        try
        {
            await using var connection = await source.OpenConnectionAsync(stop);
            return new SagasDatabase(source);
        }
        catch (Exception exception) when (DatabaseFaults.Classify(exception) is not DatabaseFault.None)
        {
            await source.DisposeAsync();
            throw new CommandException(ExitCode.CannotConnect, CannotConnect(settings, exception), exception);
        }
    }

    /// <summary>Does something that survives the database's going away: then it waits until the database is back, and does it again.</summary>
    /// <typeparam name="T">What comes of it.</typeparam>
    /// <param name="work">What to do; done again it goes on where it was.</param>
    /// <param name="say">Told when the waiting begins and when it ends; where several wait, only the first one's is.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Gives up, also while it waits.</param>
    /// <exception cref="CommandException">The database came back and does not let us in.</exception>
    public async Task<T> OutlastAsync<T>(Func<Task<T>> work, Action<string> say, TimeProvider time, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                return await work();
            }
            catch (Exception exception) when (DatabaseFaults.Classify(exception) is DatabaseFault.Transient && !stop.IsCancellationRequested)
            {
                await ReturnAsync(exception, say, time, stop);
            }
        }
    }

    /// <summary>Reads rows.</summary>
    /// <typeparam name="T">What a row becomes.</typeparam>
    /// <param name="sql">The statement, with parameters <c>$1</c>, <c>$2</c> ….</param>
    /// <param name="row">Reads the row that the reader stands on.</param>
    /// <param name="stop">Gives up.</param>
    /// <param name="parameters">Values of the parameters.</param>
    /// <exception cref="CommandException">The tables are not there.</exception>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(
        string sql,
        Func<Row, T> row,
        CancellationToken stop,
        params NpgsqlParameter[] parameters)
    {
        await using var command = _source.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        try
        {
            await using var reader = await command.ExecuteReaderAsync(stop);
            var rows = new List<T>();
            while (await reader.ReadAsync(stop))
                rows.Add(row(new Row(reader)));
            return rows;
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"The database lacks what this command reads ({exception.MessageText}). Bring it up to date: `sagas migrate`, "
                + "or start the services, which do so too.",
                exception);
        }
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private Task ReturnAsync(Exception exception, Action<string> say, TimeProvider time, CancellationToken stop)
    {
        lock (_lock)
            return _return.IsCompleted ? _return = WaitAsync() : _return;

        async Task WaitAsync()
        {
            say($"Postgres is away ({exception.Message.TrimEnd('.')}). This goes on when it is back; Ctrl-C ends it, and the same command goes on later.");
            do
                await Task.Delay(_betweenAttempts, time, stop);
            while (!await IsBackAsync(stop));
            say("Postgres is back: going on.");
        }
    }

    private async Task<bool> IsBackAsync(CancellationToken stop)
    {
        // What is in the pool is of the server that went.
        _source.Clear();
        try
        {
            await using var connection = await _source.OpenConnectionAsync(stop);
            return true;
        }
        catch (Exception exception) when (DatabaseFaults.Classify(exception) is DatabaseFault.Transient)
        {
            return false;
        }
        catch (NpgsqlException exception)
        {
            throw new CommandException(ExitCode.CannotConnect, CannotConnect(new NpgsqlConnectionStringBuilder(_source.ConnectionString), exception), exception);
        }
    }

    private static string CannotConnect(NpgsqlConnectionStringBuilder settings, Exception exception)
    {
        var why = exception switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword } => $"the password of {settings.Username} is refused",
            PostgresException postgres => postgres.MessageText,
            { InnerException: { } inner } => inner.Message,
            _ => exception.Message,
        };
        var database = settings.Database is { Length: > 0 } name ? $", database {name}" : "";
        var user = settings.Username is { Length: > 0 } login ? $", user {login}" : "";
        return $"""
            Cannot connect to Postgres at {settings.Host}:{settings.Port}{database}{user}: {why.TrimEnd('.')}.
            Start it with `docker-compose up -d`, or run everything without Docker: `./sagas demo`.
            Another database: {CommandOptions.PostgresName} or the environment variable {Connections.PostgresVariable}.
            """;
    }
}
