using static Sagas.Customers.CustomerChange;

namespace Sagas.Customers;

/// <summary>
/// How a customer's state changes: the one rule for the state machine, for results of CRM calls and for ingest. The CRM is called
/// once per version of the data and one call at a time, so that it never ends with old data.
/// </summary>
public static class CustomerTransitions
{
    private const string Registered = nameof(CustomerStateMachine.Registered);
    private const string Syncing = nameof(CustomerStateMachine.Syncing);
    private const string Synced = nameof(CustomerStateMachine.Synced);
    private const string SyncFailed = nameof(CustomerStateMachine.SyncFailed);

    /// <summary>The first registration of a customer.</summary>
    /// <param name="hasCrm">Whether there is a CRM.</param>
    public static CustomerTransition RegisterFirst(bool hasCrm) => Call(new CustomerStatus("", 1, null, null), Data, hasCrm);

    /// <summary>
    /// Another registration. Older data lose, whenever they arrive. The same data only move the time of the data: otherwise data
    /// recorded between the two could still overwrite them.
    /// </summary>
    /// <param name="customer">The customer.</param>
    /// <param name="held">The data held.</param>
    /// <param name="registration">The data that the registration brings.</param>
    /// <param name="hasCrm">Whether there is a CRM.</param>
    public static CustomerTransition Register(CustomerStatus customer, CustomerData held, CustomerData registration, bool hasCrm)
    {
        if (registration.RegisteredAt < held.RegisteredAt)
            return Unchanged(customer);
        if (registration.IsSameAs(held))
            return new(customer, registration.RegisteredAt > held.RegisteredAt ? Time : None);
        var changed = customer with { Version = customer.Version + 1 };
        return customer.State == Syncing ? new(changed, Data) : Call(changed, Data, hasCrm);
    }

    /// <summary>The CRM has a version of the data. A parked call may turn out to have succeeded.</summary>
    /// <param name="customer">The customer.</param>
    /// <param name="version">The version.</param>
    /// <param name="hasCrm">Whether there is a CRM.</param>
    public static CustomerTransition RecordSynced(CustomerStatus customer, int version, bool hasCrm)
    {
        if (customer.State != Syncing && version <= customer.SyncedVersion)
            return Unchanged(customer);
        var known = customer with { SyncedVersion = Math.Max(customer.SyncedVersion ?? 0, version) };
        if (version == customer.Version)
            return new(known with { State = Synced, SyncFailure = null }, Status);
        return customer.State == Syncing ? Call(known, Status, hasCrm) : new(known, Status);
    }

    /// <summary>The CRM rejected a version of the data, or the call was parked. An earlier final result is kept.</summary>
    /// <param name="customer">The customer.</param>
    /// <param name="version">The version.</param>
    /// <param name="reason">Why.</param>
    /// <param name="hasCrm">Whether there is a CRM.</param>
    public static CustomerTransition RecordSyncFailed(CustomerStatus customer, int version, string? reason, bool hasCrm)
    {
        if (customer.State is not (Syncing or SyncFailed))
            return Unchanged(customer);
        if (version == customer.Version)
            return new(customer with { State = SyncFailed, SyncFailure = reason }, Status);
        return customer.State == Syncing ? Call(customer, Status, hasCrm) : Unchanged(customer);
    }

    /// <summary>An operator retries the call to the CRM. A retry that comes too late changes nothing.</summary>
    /// <param name="customer">The customer.</param>
    /// <param name="hasCrm">Whether there is a CRM.</param>
    public static CustomerTransition RetrySync(CustomerStatus customer, bool hasCrm) =>
        customer.State is Syncing or Synced ? Unchanged(customer) : Call(customer, Status, hasCrm);

    private static CustomerTransition Call(CustomerStatus customer, CustomerChange change, bool hasCrm) =>
        new(customer with { State = hasCrm ? Syncing : Registered, SyncFailure = null }, change, CallsCrm: hasCrm);

    private static CustomerTransition Unchanged(CustomerStatus customer) => new(customer, None);
}
