using NpgsqlTypes;

namespace Sagas.Cli.Database;

/// <summary>A message that is committed and not yet confirmed by the broker.</summary>
/// <param name="SequenceNumber">Order of insertion.</param>
/// <param name="MessageId">The message's id.</param>
/// <param name="Message">Its type, without namespace.</param>
/// <param name="Destination">The exchange or queue.</param>
/// <param name="State">due, scheduled, failing, publishing or behind.</param>
/// <param name="Why">What it waits for.</param>
/// <param name="DueAt">When it is sent, or sent again.</param>
/// <param name="SentAt">When its producer published it.</param>
/// <param name="Attempts">How often sending failed.</param>
/// <param name="CorrelationId">The saga it is about.</param>
/// <param name="HeartbeatAt">The last heartbeat of the process that publishes it; null: no process does.</param>
internal sealed record OutboxRow(
    long SequenceNumber,
    Guid MessageId,
    string Message,
    string Destination,
    string State,
    string Why,
    DateTimeOffset DueAt,
    DateTimeOffset SentAt,
    int Attempts,
    Guid? CorrelationId,
    DateTimeOffset? HeartbeatAt = null
)
{
    /// <summary>The states, which <see cref="Sql"/> defines.</summary>
    public static readonly string[] States = ["due", "scheduled", "failing", "publishing", "behind"];

    private const string Sql = """
        WITH waiting AS (
            SELECT m.*, o.host_name, o.process_id, o.heartbeat_at, CASE
                WHEN m.attempts > 0 THEN 'failing'
                WHEN m.outbox_id IS NOT NULL THEN 'publishing'
                WHEN m.position > 0 THEN 'behind'
                WHEN m.enqueue_time > now() THEN 'scheduled'
                ELSE 'due' END AS state
            FROM outbox_message m LEFT JOIN outbox_instance o ON o.outbox_id = m.outbox_id)
        SELECT * FROM waiting
        """;

    /// <summary>The oldest messages.</summary>
    public static Task<IReadOnlyList<OutboxRow>> OldestAsync(
        SagasDatabase database,
        string? state,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            Sql + " WHERE $1::text IS NULL OR state = $1 ORDER BY sequence_number LIMIT $2",
            Read,
            cancellationToken,
            new() { Value = (object?)state ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = limit }
        );

    /// <summary>The messages about a saga.</summary>
    public static Task<IReadOnlyList<OutboxRow>> OfSagaAsync(
        SagasDatabase database,
        Guid correlationId,
        Guid? scheduleToken,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            Sql + " WHERE correlation_id = $1 OR initiator_id = $1 OR schedule_token_id = $2 ORDER BY sequence_number LIMIT 100",
            Read,
            cancellationToken,
            new() { Value = correlationId },
            new() { Value = (object?)scheduleToken ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid }
        );

    private static OutboxRow Read(Row row)
    {
        var state = row.Get<string>("state");
        return new OutboxRow(
            row.Get<long>("sequence_number"),
            row.Get<Guid>("message_id"),
            row.Get<string>("message_type").Split(';')[0].Split(':')[^1],
            row.Get<string>("destination_address").Split('?')[0].Split('/', ':')[^1],
            state,
            Reason(state, row),
            row.Get<DateTimeOffset>("enqueue_time"),
            row.Get<DateTimeOffset>("sent_time"),
            row.Get<int>("attempts"),
            row.GetNullable<Guid>("correlation_id"),
            row.GetNullable<DateTimeOffset>("heartbeat_at")
        );
    }

    private static string Reason(string state, Row row) =>
        state switch
        {
            "failing" => row.Text("last_error") ?? "sending failed",
            "publishing" when row.Text("host_name") is { } host => $"published by process {row.Get<int>("process_id")} on {host}",
            "publishing" => "its process ended; the relay takes over",
            "behind" => "after the earlier messages of its transaction",
            "scheduled" => "not due yet",
            _ => "waits for the relay",
        };
}
