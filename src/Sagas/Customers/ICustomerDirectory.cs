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

    /// <summary>Finds the payments that wait for a customer.</summary>
    /// <param name="customerId">The customer's id.</param>
    /// <param name="cancellationToken">Stops the look-up.</param>
    /// <returns>Their ids.</returns>
    Task<IReadOnlyList<string>> FindWaitingPaymentsAsync(string customerId, CancellationToken cancellationToken);
}
