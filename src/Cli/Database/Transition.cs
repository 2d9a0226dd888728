using Npgsql;

namespace Sagas.Cli.Database;

/// <summary>One step of a saga's history.</summary>
/// <param name="OccurredAt">When.</param>
/// <param name="FromState">State before; null: the event created the saga.</param>
/// <param name="ToState">State after.</param>
/// <param name="Event">Name of the message.</param>
/// <param name="MessageId">The message.</param>
/// <param name="ConversationId">The conversation it belongs to.</param>
internal sealed record Transition(
    DateTimeOffset OccurredAt,
    string? FromState,
    string ToState,
    string Event,
    Guid? MessageId,
    Guid? ConversationId
)
{
    /// <summary>A saga's history, from its beginning.</summary>
    public static Task<IReadOnlyList<Transition>> OfSagaAsync(
        SagasDatabase database,
        Guid correlationId,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            "SELECT * FROM saga_history WHERE correlation_id = $1 ORDER BY id",
            row => new Transition(
                row.Get<DateTimeOffset>("occurred_at"),
                row.Text("from_state"),
                row.Get<string>("to_state"),
                row.Get<string>("event"),
                row.GetNullable<Guid>("message_id"),
                row.GetNullable<Guid>("conversation_id")
            ),
            cancellationToken,
            new NpgsqlParameter { Value = correlationId }
        );
}
