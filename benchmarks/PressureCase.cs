using Npgsql;

namespace Sagas.Benchmarks;

/// <summary>Something that presses on the database while sagas run.</summary>
/// <param name="Name">Its name in the report.</param>
/// <param name="Burst">By how much the load grows in the second third of the time.</param>
/// <param name="PressAsync">Presses on a database until it is cancelled.</param>
internal sealed record PressureCase(string Name, double Burst, Func<NpgsqlDataSource, CancellationToken, Task> PressAsync)
{
    private const int Readers = 4;

    private const string Snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM outbox_message";

    private const string Scan = """
        SELECT (SELECT sum(length(body)) FROM outbox_message), (SELECT count(*) FROM inbox_state),
               (SELECT count(*) FROM saga_transition), (SELECT sum(amount) FROM order_state)
        """;

    // Due tomorrow: what a relay with a million scheduled messages has in its table.
    private const string Backlog = """
        INSERT INTO outbox_message
            (message_id, batch_id, destination_address, message_type, content_type, body, enqueue_time)
        SELECT id, id, 'exchange:later', 'urn:message:Sagas.Benchmarks:OrderAccepted', 'application/vnd.masstransit+json',
               repeat('x', 900), now() + interval '1 day'
        FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, @rows)) rows
        """;

    /// <summary>The cases; the first one is that without pressure.</summary>
    /// <param name="backlog">How many messages wait in the last one.</param>
    public static IReadOnlyList<PressureCase> All(int backlog) =>
        [
            new("clean", 1, (_, _) => Task.CompletedTask),
            new("a snapshot is held open", 1, HoldSnapshotAsync),
            new("four readers scan", 1, ReadAsync),
            new("a burst of 1.5 times the load", 1.5, (_, _) => Task.CompletedTask),
            new($"a backlog of {backlog:N0}", 1, (database, token) => FillAsync(database, backlog, token)),
        ];

    private static async Task HoldSnapshotAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var begin = new NpgsqlCommand(Snapshot, connection);
        await begin.ExecuteNonQueryAsync(cancellationToken);
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    // A second between two scans of each: readers without a pause would take the processors, not the tables.
    private static Task ReadAsync(NpgsqlDataSource database, CancellationToken cancellationToken) =>
        Task.WhenAll(
            Enumerable
                .Range(0, Readers)
                .Select(async _ =>
                {
                    while (true)
                    {
                        await using var scan = database.CreateCommand(Scan);
                        await scan.ExecuteNonQueryAsync(cancellationToken);
                        await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
                    }
                })
        );

    private static async Task FillAsync(NpgsqlDataSource database, int rows, CancellationToken cancellationToken)
    {
        await using var fill = database.CreateCommand(Backlog);
        fill.CommandTimeout = 600;
        fill.Parameters.AddWithValue("rows", rows);
        await fill.ExecuteNonQueryAsync(cancellationToken);
    }
}
