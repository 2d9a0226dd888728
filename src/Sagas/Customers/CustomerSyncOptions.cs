namespace Sagas.Customers;

/// <summary>Configuration section <c>Crm</c>: whether there is a CRM.</summary>
public sealed record CustomerSyncOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Crm";

    /// <summary>
    /// <c>false</c>: there is no CRM; customers stay <c>Registered</c>, and nothing is queued. Set it alike for the roles
    /// <c>sagas</c>, <c>crm</c> and <c>ingest</c>.
    /// </summary>
    public bool Enabled { get; init; } = true;
}
