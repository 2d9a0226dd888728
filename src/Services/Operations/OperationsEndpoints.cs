using System.Security.Cryptography;
using System.Text;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Sagas.Contracts;

namespace Sagas.Services.Operations;

/// <summary>What an operator can ask and do over HTTP.</summary>
public static class OperationsEndpoints
{
    private const string ApiKeyHeader = "X-Api-Key";
    private const int LongestPaymentId = 128;

    /// <summary>Maps <c>/operations</c>.</summary>
    /// <param name="routes">The application.</param>
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("/operations");
        operations.MapGet("/overview", OverviewAsync);
        operations.MapPost("/payments/{id}/revive", ReviveAsync).AddEndpointFilter(RequireApiKeyAsync);
    }

    private static async Task<IResult> OverviewAsync(SagasDbContext database, CancellationToken cancellationToken) =>
        Results.Ok(await OverviewQuery.ReadAsync(database, cancellationToken));

    private static async Task<IResult> ReviveAsync(
        string id, string? requestedBy, IPublishEndpoint bus, SagasDbContext database, CancellationToken cancellationToken)
    {
        var paymentId = id.Trim();
        if (paymentId.Length is 0 or > LongestPaymentId || paymentId.Any(char.IsControl))
        {
            return Results.Problem(
                "The payment id must have 1 to 128 characters and no control characters.", statusCode: StatusCodes.Status400BadRequest);
        }

        await bus.Publish(new RevivePayment(paymentId, requestedBy), cancellationToken);
        await database.SaveChangesAsync(cancellationToken);
        return Results.Accepted(value: new { paymentId, status = "requested" });
    }

    private static async ValueTask<object?> RequireApiKeyAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var options = (IOptions<OperationsOptions>)http.RequestServices.GetService(typeof(IOptions<OperationsOptions>))!;
        if (options.Value.ApiKey is not { } expected)
        {
            return Results.Problem(
                "Nothing can be changed here until a key is set: start the service with Operations:ApiKey (as an environment variable: "
                + $"Operations__ApiKey) of at least {OperationsOptions.ShortestApiKey} characters, and send it in the header {ApiKeyHeader}.",
                statusCode: StatusCodes.Status403Forbidden);
        }
        if (!Matches(http.Request.Headers[ApiKeyHeader].ToString(), expected))
            return Results.Problem($"The header {ApiKeyHeader} is missing or wrong.", statusCode: StatusCodes.Status401Unauthorized);
        return await next(context);
    }

    // Hashes have one length and are compared in constant time, so that an answer's delay tells nothing about the key.
    private static bool Matches(string given, string expected) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), SHA256.HashData(Encoding.UTF8.GetBytes(expected)));
}
