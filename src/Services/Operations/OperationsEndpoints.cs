using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sagas.Contracts;
using Sagas.Database;

namespace Sagas.Services.Operations;

/// <summary>What an operator can ask and do over HTTP.</summary>
public static class OperationsEndpoints
{
    private const int MaxPaymentIdLength = 128;

    /// <summary>Maps <c>/operations</c>.</summary>
    /// <param name="routes">The application.</param>
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("/operations");
        operations.MapGet("/overview", OverviewAsync);
        operations.MapPost("/payments/{id}/revive", ReviveAsync).RequireOperatorKey();
    }

    private static async Task<IResult> OverviewAsync(SagasDbContext database, CancellationToken cancellationToken) =>
        Results.Ok(await OverviewQuery.ReadAsync(database, cancellationToken));

    private static async Task<IResult> ReviveAsync(
        string id,
        string? requestedBy,
        IPublishEndpoint bus,
        SagasDbContext database,
        CancellationToken cancellationToken
    )
    {
        var paymentId = id.Trim();
        if (paymentId.Length is 0 or > MaxPaymentIdLength || paymentId.Any(char.IsControl))
        {
            return Results.Problem(
                "The payment id must have 1 to 128 characters and no control characters.",
                statusCode: StatusCodes.Status400BadRequest
            );
        }

        await bus.Publish(new RevivePayment(paymentId, requestedBy), cancellationToken);
        await database.SaveChangesAsync(cancellationToken);
        return Results.Accepted(value: new { paymentId, status = "requested" });
    }
}
