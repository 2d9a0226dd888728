namespace Sagas.Customers;

/// <summary>Whether customers are sent to a CRM: configuration section <c>Crm</c>.</summary>
public sealed record CustomerSyncOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Crm";

    /// <summary>False: customers stay registered and the CRM is not called.</summary>
    public bool Enabled { get; init; } = true;
}
