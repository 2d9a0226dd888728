using Microsoft.AspNetCore.Http;
using Sagas.Services.Operations.Api;
using Sagas.Services.Operations.Audit;

namespace Sagas.Services.Crm.Pages;

/// <summary>Who sees a customer's personal data.</summary>
internal static class CustomerAccess
{
    /// <summary>The customer as the caller may see it; the audit says who saw the data.</summary>
    public static async Task<CustomerDetails> SeenByAsync(
        CustomerDetails details,
        HttpContext context,
        AuditLog audit,
        CancellationToken cancellationToken
    )
    {
        if (!context.SeesPersonalData())
            return details with { Customer = details.Customer.Masked() };
        var subject = $"customer/{details.Customer.CustomerId}";
        await audit.WriteAsync(context.Actor(), "customer.read", subject, "shown", cancellationToken);
        return details;
    }
}
