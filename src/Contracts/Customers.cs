namespace Sagas.Contracts;

/// <summary>A customer became known, or their data changed.</summary>
/// <param name="CustomerId">The customer's identifier, 1 to 128 characters without control characters.</param>
/// <param name="FirstName">Given name.</param>
/// <param name="LastName">Family name.</param>
/// <param name="Email">E-mail address.</param>
/// <param name="Phone">Telephone number as the source wrote it.</param>
/// <param name="RegisteredAt">When the source recorded these data; the newest wins in any order of arrival.
/// Absent: the time at which the message was received.</param>
/// <param name="Source">The source system.</param>
public sealed record CustomerRegistered(
    string CustomerId,
    string? FirstName = null,
    string? LastName = null,
    string? Email = null,
    string? Phone = null,
    DateTimeOffset? RegisteredAt = null,
    string? Source = null
);

/// <summary>Sync a customer to the CRM, with the data that the customer has when this is consumed.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="Version">The version of the data to sync; a newer one is synced instead.</param>
/// <param name="Retry">An operator retries a call that was rejected or parked.</param>
public sealed record SyncCustomer(string CustomerId, int Version, bool Retry = false);

/// <summary>Sync many customers to the CRM, each with a call of its own.</summary>
/// <param name="CustomerIds">The customers, at most <see cref="MaxCustomers"/>.</param>
public sealed record SyncCustomers(IReadOnlyList<string> CustomerIds)
{
    /// <summary>The most customers that one message names.</summary>
    public const int MaxCustomers = 500;
}

/// <summary>The CRM has a customer's data.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="Version">The version of the data that it has.</param>
/// <param name="SyncedAt">When the CRM confirmed it. Absent: the time at which the message was received.</param>
public sealed record CustomerSynced(string CustomerId, int Version, DateTimeOffset? SyncedAt = null);

/// <summary>The CRM rejected a customer's data for good, or the call was parked.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="Version">The version of the data that was to be synced.</param>
/// <param name="Reason">Why, in plain text.</param>
/// <param name="FailedAt">When. Absent: the time at which the message was received.</param>
public sealed record CustomerSyncFailed(string CustomerId, int Version, string Reason, DateTimeOffset? FailedAt = null);

/// <summary>An operator retries the sync of a customer that failed.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="RequestedBy">Who asked for it.</param>
public sealed record RetryCustomerSync(string CustomerId, string? RequestedBy = null);
