using Microsoft.EntityFrameworkCore;
using Npgsql;
using Sagas.Customers;

namespace Sagas.Database;

/// <summary>The directory in Postgres. It works in the transaction of the message that is being consumed.</summary>
/// <param name="dbContext">The context of that transaction.</param>
public sealed class CustomerDirectory(SagasDbContext dbContext) : ICustomerDirectory
{
    /// <summary>
    /// Name of the parameter of <see cref="Release"/>: the customers' trimmed ids, which is what the payments' rows hold.
    /// </summary>
    public const string CustomersParameter = "customers";

    /// <summary>Pulls forward the wake-up of every payment that waits for one of some customers, and returns the ids of those
    /// that have none to pull: theirs is being delivered at this moment.</summary>
    public const string Release = $"""
        WITH waiting AS MATERIALIZED (
            SELECT payment_id, redelivery_token_id FROM payment_state
            WHERE customer_id = ANY (@{CustomersParameter}) AND current_state = 'AwaitingCustomer'),
        pulled AS MATERIALIZED (
            SELECT pull_forward(tokens) AS tokens
            FROM (SELECT array_agg(redelivery_token_id) AS tokens FROM waiting) t
            WHERE tokens IS NOT NULL)
        SELECT payment_id AS "Value" FROM waiting
        WHERE redelivery_token_id IS NULL OR redelivery_token_id NOT IN (SELECT unnest(tokens) FROM pulled)
        """;

    private static readonly Func<SagasDbContext, Guid, CancellationToken, Task<bool>> _isKnown = EF.CompileAsyncQuery(
        (SagasDbContext db, Guid customer, CancellationToken _) => db.Customers.Any(row => row.CorrelationId == customer)
    );

    /// <inheritdoc />
    public Task<bool> IsKnownAsync(string customerId, CancellationToken cancellationToken) =>
        _isKnown(dbContext, SagaIdentity.Customer(customerId), cancellationToken);

    /// <inheritdoc />
    public async Task<IReadOnlyList<string>> ReleaseWaitingPaymentsAsync(string customerId, CancellationToken cancellationToken)
    {
        // A payment whose first transaction is still open is not seen here; it did not see the customer either, and its own
        // redelivery will.
        var customers = new NpgsqlParameter<string[]>(CustomersParameter, [customerId.Trim()]);
        return await dbContext.Database.SqlQueryRaw<string>(Release, customers).ToListAsync(cancellationToken);
    }
}
