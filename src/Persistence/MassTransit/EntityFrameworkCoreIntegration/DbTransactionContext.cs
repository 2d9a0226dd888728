namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>A payload of a consume whose transaction has begun already.</summary>
public interface DbTransactionContext
{
    /// <summary>EF Core's id of the transaction.</summary>
    Guid TransactionId { get; }
}
