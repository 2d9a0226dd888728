using System.Security.Cryptography;
using Npgsql;

namespace Sagas.LocalServers;

/// <summary>
/// A private PostgreSQL server: on a free loopback port, in a temporary directory that is removed when it is disposed
/// of or when this process ends, however it ends. By default it is as durable as a production server (fsync and synchronous
/// commits), so that killing and measuring it mean something. Members are not safe to call concurrently, except
/// <see cref="CreateDatabaseAsync"/>.
/// </summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private const string User = "sagas";
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan _probePatience = TimeSpan.FromSeconds(5);

    private static readonly ServerEnvironment _environment = new(
        ["PG", "LC_"],
        new Dictionary<string, string> { ["LC_ALL"] = "C" }
    );

    private readonly string _directory;
    private readonly string _postgres;
    private readonly bool _durable;
    private readonly string _password = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private ServerProcess? _process;
    private int _port;

    private PrivatePostgres(string directory, string postgres, bool durable)
    {
        _directory = directory;
        _postgres = postgres;
        _durable = durable;
    }

    /// <summary>Whether this machine has the programs that <see cref="StartAsync"/> needs.</summary>
    public static bool IsInstalled =>
        ServerPrograms.FindPostgres("initdb") is not null && ServerPrograms.FindPostgres("postgres") is not null;

    /// <summary>An Npgsql connection string for the database <c>postgres</c>, as a superuser.</summary>
    public string ConnectionString =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = _port,
            Username = User,
            Password = _password,
            Database = "postgres",
        }.ConnectionString;

    private string DataDirectory => Path.Combine(_directory, "data");

    /// <summary>Creates a server and starts it.</summary>
    /// <param name="durable">False for a server whose data may be lost when the machine fails, which costs less.</param>
    /// <param name="cancellationToken">Cancels the start; nothing is left behind.</param>
    /// <returns>The server, which accepts connections.</returns>
    /// <exception cref="ServerNotInstalledException">PostgreSQL is not on this machine.</exception>
    /// <exception cref="ServerStartException">It could not be started.</exception>
    public static async Task<PrivatePostgres> StartAsync(bool durable = true, CancellationToken cancellationToken = default)
    {
        var initdb = ServerPrograms.FindPostgres("initdb") ?? throw NotInstalled("initdb");
        var postgres = ServerPrograms.FindPostgres("postgres") ?? throw NotInstalled("postgres");
        var server = new PrivatePostgres(ServerDirectory.Create("postgres"), postgres, durable);
        try
        {
            await server.InitialiseAsync(initdb, cancellationToken);
            await server.StartOnFreePortAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates a database.</summary>
    /// <param name="name">Its name, any text.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Its Npgsql connection string.</returns>
    /// <exception cref="PostgresException">There is one of that name.</exception>
    public async Task<string> CreateDatabaseAsync(string name, CancellationToken cancellationToken = default)
    {
        await using var connection = new NpgsqlConnection(Unpooled(ConnectionString, _patience));
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            $"CREATE DATABASE {new NpgsqlCommandBuilder().QuoteIdentifier(name)}",
            connection
        );
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name }.ConnectionString;
    }

    /// <summary>
    /// Stops the server gracefully, cutting connections; data and port are kept for <see cref="StartAgainAsync"/>.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait for its end.</param>
    /// <returns>When it has ended.</returns>
    public Task StopAsync(CancellationToken cancellationToken = default) => EndAsync("INT", cancellationToken);

    /// <summary>
    /// Ends the server with SIGKILL, as a crash would; data and port are kept for <see cref="StartAgainAsync"/>.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait for its end.</param>
    /// <returns>When it has ended.</returns>
    public Task KillAsync(CancellationToken cancellationToken = default) => EndAsync("KILL", cancellationToken);

    /// <summary>Starts a server that was stopped or killed, with its data, on its port.</summary>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <returns>When it accepts connections.</returns>
    /// <exception cref="ServerStartException">It could not be started.</exception>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        // After a SIGKILL the server's children need a moment to notice; until the last has gone, Postgres refuses to start.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await LaunchAsync(cancellationToken);
                return;
            }
            catch (ServerStartException e) when (attempt < 20 && e.Message.Contains("still in use", StringComparison.Ordinal))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System, cancellationToken);
            }
        }
    }

    /// <summary>Ends the server immediately and removes its data.</summary>
    /// <returns>When both are gone.</returns>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        _process = null;
        ServerDirectory.Remove(_directory);
    }

    private static ServerNotInstalledException NotInstalled(string program) =>
        new("PostgreSQL", program, "postgresql", "postgresql@17");

    private static string Unpooled(string connectionString, TimeSpan patience) =>
        new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            Timeout = (int)patience.TotalSeconds,
            CommandTimeout = (int)patience.TotalSeconds,
        }.ConnectionString;

    // Postgres refuses to run as root; its packages create the user postgres.
    private static string[] AsItsUser(params string[] command) =>
        Environment.IsPrivilegedProcess
            ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", .. command]
            : command;

    private async Task InitialiseAsync(string initdb, CancellationToken cancellationToken)
    {
        var passwordFile = Path.Combine(_directory, "password");
        await File.WriteAllTextAsync(passwordFile, _password, cancellationToken);
        if (Environment.IsPrivilegedProcess)
            await ServerCommand.RunAsync(["chown", "-R", "postgres:", _directory], _directory, _environment, cancellationToken);
        await ServerCommand.RunAsync(
            AsItsUser(
                initdb,
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                $"--username={User}",
                "--auth=scram-sha-256",
                $"--pwfile={passwordFile}",
                $"--pgdata={DataDirectory}"
            ),
            _directory,
            _environment,
            cancellationToken
        );
        File.Delete(passwordFile);
    }

    private async Task StartOnFreePortAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            _port = LoopbackPorts.Pick(1)[0];
            try
            {
                await LaunchAsync(cancellationToken);
                return;
            }
            catch (ServerStartException e) when (e.PortTaken && attempt < 5) { }
        }
    }

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        if (_process is not null)
            throw new InvalidOperationException("PostgreSQL is running.");

        // As docker-compose has it: the indexes of ten million customers fit into memory, checkpoints are rare and WAL files
        // reused, and large WAL buffers keep bulk writers from waiting for every megabyte of the WAL writer. All else that
        // matters to speed or durability is Postgres's default.
        var durable = _durable ? "on" : "off";
        string[] settings =
        [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
            "shared_buffers=1GB",
            "max_wal_size=16GB",
            "min_wal_size=2GB",
            "checkpoint_timeout=15min",
            "wal_compression=on",
            "wal_buffers=64MB",
            "wal_writer_flush_after=64MB",
            "default_toast_compression=lz4",
            $"fsync={durable}",
            $"synchronous_commit={durable}",
            $"full_page_writes={durable}",
        ];
        var process = ServerProcess.Start(
            _directory,
            AsItsUser([
                _postgres,
                "-D",
                DataDirectory,
                "-p",
                $"{_port}",
                .. settings.SelectMany(setting => new[] { "-c", setting }),
            ]),
            _environment
        );
        _process = process;
        try
        {
            await process.WaitUntilReadyAsync("PostgreSQL", AcceptsConnectionsAsync, _patience, cancellationToken);
        }
        catch
        {
            await EndAsync("INT", CancellationToken.None);
            throw;
        }
    }

    private async Task<bool> AcceptsConnectionsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection(Unpooled(ConnectionString, _probePatience));
            await connection.OpenAsync(cancellationToken);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return false;
        }
    }

    private async Task EndAsync(string signal, CancellationToken cancellationToken)
    {
        if (_process is null)
            return;

        await _process.EndAsync(signal, cancellationToken);
        await _process.DisposeAsync();
        _process = null;
    }
}
