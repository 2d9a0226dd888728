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
    Guid? CorrelationId)
{
    /// <summary>The states, and with <see cref="Sql"/> what they mean.</summary>
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
    /// <param name="database">Where they are.</param>
    /// <param name="state">Only those in this state; null: all.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="now">Ages are counted from it.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<OutboxRow>> OldestAsync(
        SagasDatabase database, string? state, int limit, DateTimeOffset now, CancellationToken stop) =>
        database.QueryAsync(
            Sql + " WHERE $1::text IS NULL OR state = $1 ORDER BY sequence_number LIMIT $2",
            row => Read(row, now),
            stop,
            new() { Value = (object?)state ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = limit });

    /// <summary>The messages about a saga.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="correlationId">The saga.</param>
    /// <param name="scheduleToken">The scheduled message that wakes it.</param>
    /// <param name="now">Ages are counted from it.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<OutboxRow>> OfSagaAsync(
        SagasDatabase database, Guid correlationId, Guid? scheduleToken, DateTimeOffset now, CancellationToken stop) =>
        database.QueryAsync(
            Sql + " WHERE correlation_id = $1 OR initiator_id = $1 OR schedule_token_id = $2 ORDER BY sequence_number LIMIT 100",
            row => Read(row, now),
            stop,
            new() { Value = correlationId },
            new() { Value = (object?)scheduleToken ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid });

    private static OutboxRow Read(Row row, DateTimeOffset now)
    {
        var state = row.Get<string>("state");
        return new OutboxRow(
            row.Get<long>("sequence_number"),
            row.Get<Guid>("message_id"),
            row.Get<string>("message_type").Split(';')[0].Split(':')[^1],
            row.Get<string>("destination_address").Split('?')[0].Split('/', ':')[^1],
            state,
            Reason(state, row, now),
            row.Get<DateTimeOffset>("enqueue_time"),
            row.Get<DateTimeOffset>("sent_time"),
            row.Get<int>("attempts"),
            row.Maybe<Guid>("correlation_id"));
    }

    private static string Reason(string state, Row row, DateTimeOffset now) => state switch
    {
        "failing" => row.Text("last_error") ?? "sending failed",
        "publishing" when row.Maybe<DateTimeOffset>("heartbeat_at") is { } heartbeat =>
            $"sent by process {row.Get<int>("process_id")} on {row.Text("host_name")}, alive {CommandLine.Display.FromNow(heartbeat, now)}",
        "publishing" => "its process is gone; the relay takes it over",
        "behind" => "sent after the earlier messages of its transaction",
        "scheduled" => "its time has not come",
        _ => "waits for the relay",
    };
}
