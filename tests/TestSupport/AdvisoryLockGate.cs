using Npgsql;

namespace Sagas.TestSupport;

/// <summary>
/// Blocks sessions that request an advisory lock of Postgres, so that a test can act in the middle of what the product
/// does, on a machine of any speed. Disposing of it releases them.
/// </summary>
public sealed class AdvisoryLockGate : IAsyncDisposable
{
    /// <summary>The lock of a gate that a test builds into a table; the product's own locks have other numbers.</summary>
    public const int Key = 4711;

    private readonly NpgsqlConnection _holder;
    private readonly long _key;

    private AdvisoryLockGate(NpgsqlConnection holder, long key)
    {
        _holder = holder;
        _key = key;
    }

    /// <summary>Builds a gate into a table; it is open until <see cref="CloseAsync"/>.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="table">The table whose writers pass the gate.</param>
    /// <param name="events">When they pass it, such as <c>BEFORE INSERT OR UPDATE</c>.</param>
    /// <param name="condition">SQL condition on <c>TG_TABLE_NAME</c> that selects what is held; all by default.</param>
    /// <param name="forEachRow">Whether each row passes, with <c>NEW</c> in the condition, instead of each statement.</param>
    public static async Task BuildAsync(
        string connectionString,
        string table,
        string events = "BEFORE INSERT",
        string condition = "true",
        bool forEachRow = false
    )
    {
        await using var connection = await OpenAsync(connectionString);
        await using var command = new NpgsqlCommand(
            $"""
            CREATE OR REPLACE FUNCTION pass_test_gate_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF {condition} THEN PERFORM pg_advisory_xact_lock_shared({Key}); END IF;
                RETURN {(forEachRow ? "NEW" : "NULL")};
            END $$;
            CREATE TRIGGER test_gate {events} ON {table} FOR EACH {(
                forEachRow ? "ROW" : "STATEMENT"
            )} EXECUTE FUNCTION pass_test_gate_{table}();
            """,
            connection
        );
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Takes the lock; sessions that request it from now on wait.</summary>
    public static async Task<AdvisoryLockGate> CloseAsync(string connectionString, long key = Key)
    {
        var holder = await OpenAsync(connectionString);
        await using var command = new NpgsqlCommand($"SELECT pg_advisory_lock({key})", holder) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
        return new AdvisoryLockGate(holder, key);
    }

    /// <summary>The number of sessions that wait for the lock.</summary>
    public async Task<long> CountWaitingAsync()
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
            WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
              AND ((classid::bigint << 32) | objid::bigint) = {_key} AND objsubid = 1
            """,
            _holder
        );
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Waits until this many sessions wait for the lock.</summary>
    public Task ReachedAsync(int count = 1) =>
        Eventually.MatchesAsync($"{count} wait at the gate", CountWaitingAsync, waiting => waiting >= count);

    /// <summary>Releases all.</summary>
    public ValueTask DisposeAsync() => _holder.DisposeAsync();

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        // Unpooled: closing it must end its session, and with it the lock.
        var timeout = (int)Eventually.Timeout.TotalSeconds;
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString)
            {
                Pooling = false,
                Timeout = timeout,
                CommandTimeout = timeout,
            }.ConnectionString
        );
        await connection.OpenAsync();
        return connection;
    }
}
