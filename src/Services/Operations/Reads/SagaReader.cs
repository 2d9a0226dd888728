using Npgsql;

namespace Sagas.Services.Operations.Reads;

/// <summary>A step of a saga's history.</summary>
/// <param name="OccurredAt">When.</param>
/// <param name="FromState">State before; null: the event created the saga.</param>
/// <param name="ToState">State after.</param>
/// <param name="Event">Name of the message.</param>
/// <param name="MessageId">The message.</param>
public sealed record SagaStep(DateTimeOffset OccurredAt, string? FromState, string ToState, string Event, Guid? MessageId);

/// <summary>A call to a third party.</summary>
/// <param name="Target">The third party.</param>
/// <param name="Key">The call's idempotency key.</param>
/// <param name="State">waiting, in_flight, done, failed, parked or superseded.</param>
/// <param name="Mode">How an unknown outcome is resolved.</param>
/// <param name="Attempts">Attempts made.</param>
/// <param name="OutcomeUnknown">Whether an attempt's outcome is unknown.</param>
/// <param name="LastOutcome">What came of the last attempt.</param>
/// <param name="Due">When it is tried next.</param>
/// <param name="CreatedAt">When it was enqueued.</param>
/// <param name="FinishedAt">When it completed or was given up.</param>
/// <param name="CorrelationId">The saga or file that asked for it.</param>
public sealed record CallView(
    string Target,
    string Key,
    string State,
    string Mode,
    int Attempts,
    bool OutcomeUnknown,
    string? LastOutcome,
    DateTimeOffset? Due,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt,
    Guid? CorrelationId
);

/// <summary>A message that waits in the outbox.</summary>
/// <param name="MessageId">Its id.</param>
/// <param name="Message">Its type, without namespace.</param>
/// <param name="Due">When it is due.</param>
/// <param name="Attempts">How often sending failed.</param>
/// <param name="LastError">Why it failed last.</param>
public sealed record WaitingMessage(Guid MessageId, string Message, DateTimeOffset Due, int Attempts, string? LastError);

/// <summary>Reads what sagas have in common: history, calls, messages.</summary>
internal sealed class SagaReader(NpgsqlDataSource database)
{
    private const string CallColumns =
        "target, idempotency_key, state, mode, attempts, outcome_unknown, last_outcome, due, created_at, finished_at, "
        + "correlation_id";

    public Task<IReadOnlyList<SagaStep>> HistoryAsync(Guid correlationId, CancellationToken cancellationToken) =>
        database.RowsAsync(
            "SELECT * FROM saga_history WHERE correlation_id = $1 ORDER BY id LIMIT 500",
            row => new SagaStep(
                row.Time("occurred_at"),
                row.OptionalText("from_state"),
                row.Text("to_state"),
                row.Text("event"),
                row.OptionalId("message_id")
            ),
            cancellationToken,
            correlationId
        );

    /// <summary>A call.</summary>
    public Task<CallView?> CallAsync(string target, string key, CancellationToken cancellationToken) =>
        database.RowAsync<CallView>(
            $"SELECT {CallColumns} FROM outbound_call WHERE target = $1 AND idempotency_key = $2",
            Call,
            cancellationToken,
            target,
            key
        );

    /// <summary>Calls, the newest first.</summary>
    public Task<IReadOnlyList<CallView>> CallsAsync(string target, string[] keys, CancellationToken cancellationToken) =>
        database.RowsAsync(
            $"SELECT {CallColumns} FROM outbound_call WHERE target = $1 AND idempotency_key = ANY ($2) ORDER BY created_at DESC",
            Call,
            cancellationToken,
            target,
            keys
        );

    /// <summary>A scheduled message.</summary>
    public Task<WaitingMessage?> ScheduledAsync(Guid token, CancellationToken cancellationToken) =>
        database.RowAsync<WaitingMessage>(
            """
            SELECT message_id, message_type, enqueue_time, attempts, last_error FROM outbox_message WHERE schedule_token_id = $1
            """,
            row =>
                new(
                    row.Id("message_id"),
                    row.Text("message_type").Split(';')[0].Split(':')[^1],
                    row.Time("enqueue_time"),
                    row.Int("attempts"),
                    row.OptionalText("last_error")
                ),
            cancellationToken,
            token
        );

    private static CallView Call(NpgsqlDataReader row) =>
        new(
            row.Text("target"),
            row.Text("idempotency_key"),
            row.Text("state"),
            row.Text("mode"),
            row.Int("attempts"),
            row.Flag("outcome_unknown"),
            row.OptionalText("last_outcome"),
            row.OptionalTime("due"),
            row.Time("created_at"),
            row.OptionalTime("finished_at"),
            row.OptionalId("correlation_id")
        );
}
