using Npgsql;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>A database with the migrated schema and the tables of <see cref="OrdersDbContext"/>.</summary>
internal sealed class PersistenceDatabase : IAsyncDisposable
{
    private readonly TestDatabase _owned;
    private readonly NpgsqlDataSource _source;

    private PersistenceDatabase(TestDatabase owned)
    {
        _owned = owned;
        ConnectionString = new NpgsqlConnectionStringBuilder(owned.ConnectionString)
        {
            // Long timeouts: a slow server must not fail these tests.
            Timeout = (int)Eventually.Timeout.TotalSeconds,
            CommandTimeout = (int)Eventually.Timeout.TotalSeconds,
        }.ConnectionString;
        _source = NpgsqlDataSource.Create(ConnectionString);
    }

    public string ConnectionString { get; }

    public static async Task<PersistenceDatabase> CreateAsync(ITestServers servers)
    {
        var database = new PersistenceDatabase(await servers.CreateDatabaseAsync("persistence"));
        await database.ExecuteAsync(OrdersDbContext.CreateTables);
        return database;
    }

    /// <summary>Closes the test's own connections; needed when the server was restarted.</summary>
    public void Reconnect() => _source.Clear();

    public async Task<int> ExecuteAsync(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        return await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The first column of every row.</summary>
    public async Task<List<T>> ColumnAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<T>();
        while (await reader.ReadAsync())
            values.Add(await reader.GetFieldValueAsync<T>(0));
        return values;
    }

    public Task<long> CountAsync(string table) => ScalarAsync<long>($"SELECT count(*) FROM {table}");

    /// <summary>Waits until everything committed is sent and its row removed.</summary>
    public Task OutboxIsEmptyAsync() => Eventually.EqualAsync(0, () => CountAsync("outbox_message"));

    /// <summary>Assigns the unsent messages to a process that died long ago.</summary>
    public async Task<int> AssignOutboxToDeadProcessAsync()
    {
        var dead = Guid.NewGuid();
        await ExecuteAsync(
            """
            INSERT INTO outbox_instance (outbox_id, host_name, process_id, heartbeat_at)
            VALUES ($1, 'gone', 1, now() - interval '1 minute')
            """,
            dead
        );
        return await ExecuteAsync("UPDATE outbox_message SET outbox_id = $1", dead);
    }

    /// <summary>Lets consumes run, and their commits wait, until it is disposed.</summary>
    public async Task<IAsyncDisposable> HoldCommitsAsync()
    {
        var connection = await _source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand("BEGIN; LOCK TABLE inbox_state IN SHARE ROW EXCLUSIVE MODE", connection);
        await command.ExecuteNonQueryAsync();
        return new HeldCommits(connection);
    }

    /// <summary>Waits until a commit is held.</summary>
    public Task CommitsAreHeldAsync(int commits = 1) =>
        Eventually.TrueAsync(
            $"{commits} commits wait",
            async () => await CountAsync("pg_locks WHERE relation = 'inbox_state'::regclass AND NOT granted") >= commits
        );

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _owned.DisposeAsync();
    }

    private sealed class HeldCommits(NpgsqlConnection connection) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await using (var command = new NpgsqlCommand("ROLLBACK", connection))
                await command.ExecuteNonQueryAsync();
            await connection.DisposeAsync();
        }
    }

    private NpgsqlCommand Command(string sql, object[] parameters)
    {
        var command = _source.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        return command;
    }
}
