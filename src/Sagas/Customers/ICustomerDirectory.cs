namespace Sagas.Customers;

/// <summary>
/// Where the payment saga looks for a payment's customer, and the customer saga wakes the payments that wait for it.
/// </summary>
public interface ICustomerDirectory
{
    /// <summary>Says whether a customer is known.</summary>
    /// <param name="customerId">The customer's id.</param>
    /// <param name="cancellationToken">Stops the look-up.</param>
    Task<bool> IsKnownAsync(string customerId, CancellationToken cancellationToken);

    /// <summary>Makes every payment that waits for a customer due now, by pulling its scheduled message forward.</summary>
    /// <param name="customerId">The customer's id.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    /// <returns>Ids of the waiting payments that had no scheduled message to pull: theirs is being delivered at this
    /// moment.</returns>
    Task<IReadOnlyList<string>> ReleaseWaitingPaymentsAsync(string customerId, CancellationToken cancellationToken);
}
