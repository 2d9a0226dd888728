using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace Sagas.Persistence;

/// <summary>
/// The history of sagas whose state is a text named <c>CurrentState</c>, in models that have the table for it.
/// </summary>
internal static class SagaHistory
{
    /// <summary>The state after a saga's last event, with which it is removed.</summary>
    public const string Final = "Final";

    /// <summary>The property that has the state.</summary>
    public const string StateProperty = "CurrentState";

    public static void Record<TSaga>(
        EntityEntry<TSaga> entry,
        SagaConsumeContext<TSaga> context,
        string eventName,
        ConsumeEffects effects,
        bool isInserted
    )
        where TSaga : class, ISaga
    {
        if (
            entry.Context.Model.FindEntityType(typeof(SagaTransition)) is null
            || (entry.State is EntityState.Unchanged && !isInserted)
            || entry.State is EntityState.Detached
            || entry.Metadata.FindProperty(StateProperty) is not { } property
            || property.ClrType != typeof(string)
        )
            return;
        var state = entry.Property(property);
        var from = isInserted || entry.State == EntityState.Added ? null : (string?)state.OriginalValue;
        var to = entry.State == EntityState.Deleted ? Final : (string)state.CurrentValue!;
        effects.Add(Transition(entry.Metadata.GetTableName()!, context, eventName, from, to));
    }

    /// <summary>A row of the history.</summary>
    public static SagaTransition Transition<TSaga>(
        string table,
        SagaConsumeContext<TSaga> context,
        string eventName,
        string? from,
        string to
    )
        where TSaga : class, ISaga =>
        new()
        {
            Saga = table,
            CorrelationId = context.Saga.CorrelationId,
            FromState = from,
            ToState = to,
            Event = eventName,
            MessageId = context.MessageId,
            ConversationId = context.ConversationId,
        };
}
