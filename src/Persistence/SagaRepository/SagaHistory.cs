using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace Sagas.Persistence;

/// <summary>
/// Writes the history of sagas whose state is a column named <c>CurrentState</c>, in models that have the table for it.
/// </summary>
internal static class SagaHistory
{
    private const string StateProperty = "CurrentState";

    public static void Record<TSaga>(
        EntityEntry<TSaga> entry,
        SagaConsumeContext<TSaga> context,
        string eventName,
        ConsumeTransaction transaction,
        bool isInserted
    )
        where TSaga : class, ISaga
    {
        if (
            entry.Context.Model.FindEntityType(typeof(SagaTransition)) is null
            || (entry.State is EntityState.Unchanged && !isInserted)
            || entry.State is EntityState.Detached
            || entry.Metadata.FindProperty(StateProperty) is not { } property
        )
            return;
        var state = entry.Property(property);
        transaction.Add(
            new SagaTransition
            {
                Saga = entry.Metadata.GetTableName()!,
                CorrelationId = context.Saga.CorrelationId,
                FromState = isInserted || entry.State == EntityState.Added ? null : (string?)state.OriginalValue,
                ToState = entry.State == EntityState.Deleted ? "Final" : (string)state.CurrentValue!,
                Event = eventName,
                MessageId = context.MessageId,
                ConversationId = context.ConversationId,
            }
        );
    }
}
