namespace Sagas.Payments;

/// <summary>Where the payment saga looks for a payment's customer, and the customer saga wakes the payments that wait for it.</summary>
public interface ICustomerDirectory
{
    /// <summary>Says whether a customer is known.</summary>
    /// <param name="customerId">The customer's id.</param>
    /// <param name="cancellationToken">Stops the look-up.</param>
    Task<bool> IsKnownAsync(string customerId, CancellationToken cancellationToken);

    /// <summary>Makes every payment that waits for a customer due now.</summary>
    /// <param name="customerId">The customer's id.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    Task ReleaseWaitingPaymentsAsync(string customerId, CancellationToken cancellationToken);
}
