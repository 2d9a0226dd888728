using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MassTransit.EntityFrameworkCoreIntegration;
using Npgsql;

namespace Sagas.IntegrationTests.Ledger;

/// <summary>One Postgres for the ledger's tests; a database for each test.</summary>
public sealed class LedgerPostgres : IAsyncLifetime
{
    private const string Binaries = "/usr/lib/postgresql/15/bin/";
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "sagas-ledger-" + Guid.NewGuid().ToString("N"));
    private string _server = "";
    private int _databases;

    public async Task InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("SAGAS_TEST_POSTGRES") is { Length: > 0 } given)
        {
            _server = given;
            return;
        }

        Directory.CreateDirectory(_directory);
        var port = FreePort();
        if (Environment.UserName == "root")
            await RunAsync("chown", "postgres", _directory);
        await AsPostgresAsync($"{Binaries}initdb", "-D", _directory + "/data", "-A", "trust", "-U", "postgres", "--no-sync");
        await AsPostgresAsync(
            $"{Binaries}pg_ctl", "-D", _directory + "/data", "-w", "-l", _directory + "/log",
            "-o", $"-p {port} -h 127.0.0.1 -k {_directory} -c max_connections=300", "start");
        _server = $"Host=127.0.0.1;Port={port};Database=postgres;Username=postgres;Maximum Pool Size=50";
    }

    /// <summary>A new database with the schema.</summary>
    internal async Task<string> CreateDatabaseAsync()
    {
        var name = $"ledger_{Environment.ProcessId}_{Interlocked.Increment(ref _databases)}";
        await using (var server = NpgsqlDataSource.Create(_server))
        await using (var create = server.CreateCommand($"CREATE DATABASE {name}"))
            await create.ExecuteNonQueryAsync();
        var connection = new NpgsqlConnectionStringBuilder(_server) { Database = name }.ConnectionString;
        await using var database = NpgsqlDataSource.Create(connection);
        await SchemaMigrator.MigrateAsync(database, typeof(SagasDbContext).Assembly);
        return connection;
    }

    public async Task DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (!Directory.Exists(_directory))
            return;
        await AsPostgresAsync($"{Binaries}pg_ctl", "-D", _directory + "/data", "-m", "immediate", "stop");
        Directory.Delete(_directory, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static Task AsPostgresAsync(params string[] command) => Environment.UserName == "root"
        ? RunAsync("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", .. command])
        : RunAsync(command[0], command[1..]);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = Path.GetTempPath() })!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}

[CollectionDefinition(nameof(LedgerPostgres))]
public sealed class LedgerPostgresCollection : ICollectionFixture<LedgerPostgres>;
