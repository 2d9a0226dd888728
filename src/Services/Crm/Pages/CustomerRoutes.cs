using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sagas.Services.Operations.Actions;
using Sagas.Services.Operations.Api;
using Sagas.Services.Operations.Audit;
using Sagas.Services.Operations.Reads;

namespace Sagas.Services.Crm.Pages;

/// <summary>Customers in the API.</summary>
internal static class CustomerRoutes
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("customers");
        api.MapGet("/customers", ListAsync).WithName("customers");
        api.MapGet("/customers/{id}", ShowAsync).WithName("customer");
        api.MapPost("/customers/{id}/retry-sync", RetryAsync).ForOperators().WithName("retryCustomerSync");
    }

    private static async Task<ResultPage<CustomerView>> ListAsync(
        string? search,
        bool? failed,
        string? cursor,
        int? limit,
        CustomerReader customers,
        CancellationToken cancellationToken
    )
    {
        var page = await customers.ListAsync(search, failed == true, cursor, ApiRoutes.PageSize(limit), cancellationToken);
        // A list masks personal data for everyone: only a look at one customer is audited.
        return page with { Items = [.. page.Items.Select(customer => customer.Masked())] };
    }

    private static async Task<IResult> ShowAsync(
        string id,
        HttpContext context,
        CustomerReader customers,
        AuditLog audit,
        CancellationToken cancellationToken
    )
    {
        if (await customers.ShowAsync(id, cancellationToken) is not { } details)
            return ApiRoutes.NotFound($"customer {id}");
        return Results.Ok(await CustomerAccess.SeenByAsync(details, context, audit, cancellationToken));
    }

    private static Task<OperatorResult> RetryAsync(
        string id,
        HttpContext context,
        OperatorActions actions,
        CancellationToken cancellationToken
    ) => actions.RetryCustomerSyncAsync(context.Actor(), id.Trim(), cancellationToken);
}
