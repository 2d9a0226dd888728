using Sagas.Cli.Database;

namespace Sagas.Cli.Customers;

/// <summary>All about a customer.</summary>
/// <param name="Customer">Their data.</param>
/// <param name="CorrelationId">Their saga.</param>
/// <param name="Timeline">The saga's history.</param>
/// <param name="Calls">The newest calls to the CRM.</param>
/// <param name="Payments">Their newest payments.</param>
/// <param name="Messages">The saga's messages that are not published yet.</param>
internal sealed record CustomerDetails(
    CustomerRow Customer,
    Guid CorrelationId,
    IReadOnlyList<Transition> Timeline,
    IReadOnlyList<CallRow> Calls,
    IReadOnlyList<PaymentRow> Payments,
    IReadOnlyList<OutboxRow> Messages
)
{
    private const int PaymentsShown = 20;

    /// <summary>Reads a customer; null: it is not registered.</summary>
    public static async Task<CustomerDetails?> FindAsync(
        SagasDatabase database,
        string customerId,
        CancellationToken cancellationToken
    )
    {
        var correlationId = SagaIdentity.Customer(customerId);
        if (await CustomerRow.FindAsync(database, customerId, cancellationToken) is not [var customer])
            return null;

        return new CustomerDetails(
            customer,
            correlationId,
            await Transition.OfSagaAsync(database, correlationId, cancellationToken),
            await CallRow.OfCustomerAsync(database, correlationId, customer.Version, cancellationToken),
            await PaymentRow.OfCustomerAsync(database, customerId, PaymentsShown, cancellationToken),
            await OutboxRow.OfSagaAsync(database, correlationId, null, cancellationToken)
        );
    }
}
