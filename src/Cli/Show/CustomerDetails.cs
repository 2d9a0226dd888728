using Sagas.Cli.Database;

namespace Sagas.Cli.Show;

/// <summary>All about a customer.</summary>
/// <param name="Customer">What is known of them.</param>
/// <param name="CorrelationId">Their saga.</param>
/// <param name="Timeline">What the saga went through.</param>
/// <param name="Calls">The newest calls that told the CRM of them.</param>
/// <param name="Payments">Their newest payments.</param>
/// <param name="Messages">The saga's messages that are not with the broker yet.</param>
internal sealed record CustomerDetails(
    CustomerRow Customer,
    Guid CorrelationId,
    IReadOnlyList<Transition> Timeline,
    IReadOnlyList<CallRow> Calls,
    IReadOnlyList<PaymentRow> Payments,
    IReadOnlyList<OutboxRow> Messages)
{
    // The others are one command away, which is told.
    private const int PaymentsShown = 20;

    /// <summary>Reads a customer; null: none of that id is registered.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="customerId">The customer.</param>
    /// <param name="now">Ages are counted from it.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<CustomerDetails?> FindAsync(
        SagasDatabase database, string customerId, DateTimeOffset now, CancellationToken stop)
    {
        var correlationId = SagaIdentity.Customer(customerId);
        if (await CustomerRow.FindAsync(database, customerId, stop) is not [var customer])
            return null;

        return new CustomerDetails(
            customer,
            correlationId,
            await Transition.OfSagaAsync(database, correlationId, stop),
            await CallRow.OfCustomerAsync(database, correlationId, customer.Version, stop),
            await PaymentRow.OfCustomerAsync(database, customerId, PaymentsShown, stop),
            await OutboxRow.OfSagaAsync(database, correlationId, null, now, stop));
    }
}
