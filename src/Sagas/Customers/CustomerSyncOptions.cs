namespace Sagas.Customers;

/// <summary>Whether a CRM is told of customers: configuration section <c>Crm</c>.</summary>
public sealed record CustomerSyncOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Crm";

    /// <summary>False: there is no CRM; customers stay registered and nothing is queued.</summary>
    public bool Enabled { get; init; } = true;
}
