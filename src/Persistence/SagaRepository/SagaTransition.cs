namespace Sagas.Persistence;

/// <summary>What an event did to a saga: a row of its history, in the transaction of its effects.</summary>
public sealed class SagaTransition
{
    /// <summary>Order of insertion; assigned by the database.</summary>
    public long Id { get; set; }

    /// <summary>The saga's table.</summary>
    public string Saga { get; set; } = "";

    /// <summary>The saga instance.</summary>
    public Guid CorrelationId { get; set; }

    /// <summary>State before; null when the event created the saga.</summary>
    public string? FromState { get; set; }

    /// <summary>State after; equal to the state before when the event changed data only.</summary>
    public string ToState { get; set; } = "";

    /// <summary>Name of the message.</summary>
    public string Event { get; set; } = "";

    /// <summary>The message.</summary>
    public Guid? MessageId { get; set; }

    /// <summary>The conversation that it belongs to.</summary>
    public Guid? ConversationId { get; set; }

    /// <summary>When, UTC, by the database's clock.</summary>
    public DateTimeOffset OccurredAt { get; set; }
}
