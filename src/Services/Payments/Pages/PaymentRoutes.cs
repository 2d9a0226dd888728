using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sagas.Services.Messages;
using Sagas.Services.Operations.Actions;
using Sagas.Services.Operations.Api;
using Sagas.Services.Operations.Reads;

namespace Sagas.Services.Payments.Pages;

/// <summary>Payments in the API.</summary>
internal static class PaymentRoutes
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("payments");
        api.MapGet("/payments", ListAsync).WithName("payments");
        api.MapGet("/payments/{id}", ShowAsync).WithName("payment");
        api.MapPost("/payments/{id}/revive", ReviveAsync).ForOperators().WithName("revivePayment");
    }

    private static Task<ResultPage<PaymentView>> ListAsync(
        string? state,
        string? customer,
        string? search,
        string? cursor,
        int? limit,
        PaymentReader payments,
        CancellationToken cancellationToken
    ) => payments.ListAsync(new(state, customer, search), cursor, ApiRoutes.PageSize(limit), cancellationToken);

    private static async Task<IResult> ShowAsync(string id, PaymentReader payments, CancellationToken cancellationToken) =>
        await payments.ShowAsync(id, cancellationToken) is { } payment
            ? Results.Ok(payment)
            : ApiRoutes.NotFound($"payment {id}");

    private static async Task<IResult> ReviveAsync(
        string id,
        HttpContext context,
        OperatorActions actions,
        CancellationToken cancellationToken
    ) =>
        Identifiers.Problem(id) is { } problem
            ? Results.Problem($"The payment id {problem}.", statusCode: StatusCodes.Status400BadRequest)
            : Results.Ok(await actions.RevivePaymentAsync(context.Actor(), id.Trim(), cancellationToken));
}
