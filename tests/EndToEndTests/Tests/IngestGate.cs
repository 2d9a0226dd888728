using Npgsql;

namespace Sagas.EndToEndTests.Tests;

/// <summary>Holds the ingest in the middle of a batch, so that it is there to be killed however quick it is and however slow the
/// test.</summary>
internal sealed class IngestGate : IAsyncDisposable
{
    private const int Key = 4711;

    // At the beginning of a batch's transaction, in its middle, and before its commit.
    private static readonly string[] _tables = ["customer_state", "saga_transition", "file_progress"];

    private readonly NpgsqlConnection _holder;

    private IngestGate(NpgsqlConnection holder, string table) => (_holder, Table) = (holder, table);

    /// <summary>Where the ingest is held.</summary>
    public string Table { get; }

    /// <summary>Builds the gate into a migrated database, open.</summary>
    public static async Task CreateAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand(
            $$"""
            CREATE TABLE ingest_gate (goal bigint, at text);
            INSERT INTO ingest_gate DEFAULT VALUES;
            CREATE FUNCTION pass_ingest_gate() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (SELECT FROM ingest_gate WHERE at = TG_TABLE_NAME AND goal <= (SELECT coalesce(sum(rows), 0) FROM file_progress)) THEN
                    PERFORM pg_advisory_xact_lock_shared({{Key}});
                END IF;
                RETURN NULL;
            END $$;
            {{string.Join('\n', _tables.Select(table =>
                $"CREATE TRIGGER ingest_gate BEFORE INSERT OR UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION pass_ingest_gate();"))}}
            """);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Closes it for whoever has done so many rows, until it is disposed of.</summary>
    public static async Task<IngestGate> CloseAsync(NpgsqlDataSource source, long goal)
    {
        var table = _tables[Random.Shared.Next(_tables.Length)];
        var holder = await source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"SELECT pg_advisory_lock({Key}); UPDATE ingest_gate SET goal = {goal}, at = '{table}'", holder) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
        return new(holder, table);
    }

    /// <summary>Whether somebody is held.</summary>
    public async Task<bool> IsReachedAsync()
    {
        await using var command = new NpgsqlCommand(
            $"SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = {Key} AND objsubid = 1 AND NOT granted)", _holder);
        return (bool)(await command.ExecuteScalarAsync())!;
    }

    public ValueTask DisposeAsync() => _holder.DisposeAsync();
}
