using System.Runtime.CompilerServices;
using Npgsql;

namespace Sagas.IntegrationTests.OutboundCalls;

internal sealed record Row(string Key, string State, int Attempts, string? Outcome, bool OutcomeUnknown, string? Response);

/// <summary>Reads outbound_call and the outbox.</summary>
internal sealed class CallTable : IAsyncDisposable
{
    private readonly TestDatabase _test;
    private readonly NpgsqlDataSource _database;

    private CallTable(TestDatabase test)
    {
        _test = test;
        _database = NpgsqlDataSource.Create(test.ConnectionString);
    }

    public string ConnectionString => _test.ConnectionString;

    /// <summary>A database of its own, with the schema and no calls.</summary>
    public static async Task<CallTable> CreateAsync(ServersFixture servers)
    {
        var table = new CallTable(await servers.CreateDatabaseAsync("calls"));
        return table;
    }

    public async Task<IReadOnlyList<Row>> RowsAsync()
    {
        var rows = new List<Row>();
        await using var command = _database.CreateCommand(
            "SELECT idempotency_key, state, attempts, last_outcome, outcome_unknown, response::text FROM outbound_call ORDER BY 1"
        );
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            rows.Add(
                new(
                    reader.GetString(0),
                    reader.GetString(1),
                    reader.GetInt32(2),
                    reader.IsDBNull(3) ? null : reader.GetString(3),
                    reader.GetBoolean(4),
                    reader.IsDBNull(5) ? null : reader.GetString(5)
                )
            );
        }

        return rows;
    }

    /// <summary>The bodies of the outgoing messages of a type.</summary>
    public async Task<IReadOnlyList<string>> MessagesAsync(string type)
    {
        var bodies = new List<string>();
        await using var command = _database.CreateCommand("SELECT body FROM outbox_message WHERE message_type LIKE '%:' || $1");
        command.Parameters.Add(new() { Value = type });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            bodies.Add(reader.GetString(0));
        return bodies;
    }

    public async Task<long> CountAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Makes calls in flight due, as when their leases have ended.</summary>
    public Task EndLeasesAsync() => ExecuteAsync("UPDATE outbound_call SET due = now() WHERE state = 'in_flight'");

    public Task<IReadOnlyList<Row>> UntilFinishedAsync() =>
        UntilAsync(rows => rows.All(row => row.State is "done" or "failed" or "parked"), "every call is finished");

    /// <summary>Awaits the end of many calls without reading their rows.</summary>
    public Task UntilAllDoneAsync() =>
        Eventually.EqualAsync(0, () => CountAsync("SELECT count(*) FROM outbound_call WHERE due IS NOT NULL"));

    public Task<IReadOnlyList<Row>> UntilAsync(
        Func<IReadOnlyList<Row>, bool> condition,
        [CallerArgumentExpression(nameof(condition))] string what = ""
    ) => Eventually.MatchesAsync(what, RowsAsync, condition);

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _test.DisposeAsync();
    }
}
