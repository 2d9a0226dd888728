using Microsoft.EntityFrameworkCore;

namespace Sagas.Payments;

/// <summary>The directory in Postgres. It works in the transaction of the message that is being consumed.</summary>
/// <param name="dbContext">The context of that transaction.</param>
public sealed class CustomerDirectory(SagasDbContext dbContext) : ICustomerDirectory
{
    private static readonly Func<SagasDbContext, Guid, CancellationToken, Task<bool>> _isKnown = EF.CompileAsyncQuery(
        (SagasDbContext db, Guid customer, CancellationToken _) => db.Customers.Any(row => row.CorrelationId == customer));

    /// <inheritdoc />
    public Task<bool> IsKnownAsync(string customerId, CancellationToken cancellationToken) =>
        _isKnown(dbContext, SagaIdentity.Customer(customerId), cancellationToken);

    /// <inheritdoc />
    public async Task<IReadOnlyList<string>> ReleaseWaitingPaymentsAsync(string customerId, CancellationToken cancellationToken)
    {
        // By the trimmed id, which is what the payments' rows hold. A payment whose first transaction is still open is not seen here;
        // it did not see the customer either, and its own redelivery will.
        var id = customerId.Trim();
        return await dbContext.Database.SqlQuery<string>(
            $"""
            WITH waiting AS MATERIALIZED (
                SELECT payment_id, redelivery_token_id FROM payment_state WHERE customer_id = {id} AND current_state = 'AwaitingCustomer'),
            pulled AS MATERIALIZED (
                SELECT pull_forward(tokens) AS tokens FROM (SELECT array_agg(redelivery_token_id) AS tokens FROM waiting) t WHERE tokens IS NOT NULL)
            SELECT payment_id AS "Value" FROM waiting, pulled WHERE redelivery_token_id IS NULL OR redelivery_token_id <> ALL (pulled.tokens)
            """).ToListAsync(cancellationToken);
    }
}
