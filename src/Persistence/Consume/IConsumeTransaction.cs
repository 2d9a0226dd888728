using MassTransit.EntityFrameworkCoreIntegration;

namespace Sagas.Persistence;

/// <summary>The transaction that a consume is part of: its own, or one that it shares with others.</summary>
internal interface IConsumeTransaction
{
    /// <summary>What the consume leaves to the commit.</summary>
    ConsumeEffects Effects { get; }

    /// <summary>Names the transaction.</summary>
    Guid Id { get; }

    /// <summary>Writes what was collected and commits.</summary>
    /// <returns>The messages to publish from memory, with their sequence numbers.</returns>
    /// <exception cref="MessageConsumedBeforeException">The message has had its effect.</exception>
    Task<IReadOnlyList<OutboxMessage>> CommitAsync(CancellationToken cancellationToken);
}
