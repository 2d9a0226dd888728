using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Sagas.OutboundCalls;
using Sagas.Services.Messages;
using Sagas.Services.Operations;

namespace Sagas.Services.Alerts;

/// <summary>Retries of alerts over HTTP, for operators.</summary>
public static class AlertEndpoints
{
    /// <summary>Maps <c>POST</c> and <c>GET /retry</c>.</summary>
    public static void MapAlerts(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        // GET for callers that cannot POST.
        routes.MapMethods("/retry", [HttpMethods.Get, HttpMethods.Post], RetryAsync).RequireOperatorKey();
    }

    private static async Task<IResult> RetryAsync(
        Guid? file,
        string? id,
        NpgsqlDataSource database,
        CallSignal<AlertReceiver> signal,
        CancellationToken cancellationToken
    )
    {
        if (!string.IsNullOrWhiteSpace(id) && Identifiers.Problem(id) is { } problem)
            return Results.Problem($"The alert id {problem}.", statusCode: StatusCodes.Status400BadRequest);
        var result = await AlertRetry.RunAsync(database, file, id?.Trim(), cancellationToken);
        if (result is null)
            return Results.Problem("No such file or alert exists.", statusCode: StatusCodes.Status404NotFound);
        signal.Raise();
        return Results.Ok(result);
    }
}
