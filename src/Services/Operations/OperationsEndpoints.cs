using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.Services.Messages;

namespace Sagas.Services.Operations;

/// <summary>What an operator can ask and do over HTTP.</summary>
public static class OperationsEndpoints
{
    /// <summary>Maps <c>/operations</c>.</summary>
    /// <param name="routes">The application.</param>
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("/operations");
        operations.MapPost("/payments/{id}/revive", ReviveAsync).RequireOperatorKey();
    }

    private static async Task<IResult> ReviveAsync(
        string id,
        string? requestedBy,
        IPublishEndpoint bus,
        SagasDbContext database,
        CancellationToken cancellationToken
    )
    {
        var paymentId = id.Trim();
        if (Identifiers.Problem(paymentId) is { } idProblem)
            return BadRequest($"The payment id {idProblem}.");
        if (TextRules.LineProblem(requestedBy) is { } problem)
            return BadRequest($"requestedBy {problem}.");
        await bus.Publish(new RevivePayment(paymentId, requestedBy), cancellationToken);
        await database.SaveChangesAsync(cancellationToken);
        return Results.Accepted(value: new { paymentId, status = "requested" });
    }

    private static IResult BadRequest(string what) => Results.Problem(what, statusCode: StatusCodes.Status400BadRequest);
}
