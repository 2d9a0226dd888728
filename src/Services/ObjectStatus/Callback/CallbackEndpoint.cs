using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpLogging;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Services.Http;

namespace Sagas.Services.ObjectStatus.Callback;

/// <summary><c>POST /callback</c>.</summary>
public static class CallbackEndpoint
{
    private const string Path = "/callback";
    private const int RetryAfterSeconds = 1;

    /// <summary>Maps the callback, on a port of its own: there nothing else is served but the process's health, and the callback
    /// is served nowhere else.</summary>
    /// <param name="app">The application, before its other endpoints.</param>
    /// <param name="port">Says the port; asked with each request, since a free one is known only once the process
    /// listens.</param>
    public static void MapCallback(this WebApplication app, Func<int> port)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.Use(
            (context, next) =>
            {
                var path = context.Request.Path;
                var isCallback = path.StartsWithSegments(Path, StringComparison.OrdinalIgnoreCase);
                var isItsPort = context.Connection.LocalPort == port();
                return
                    isCallback == isItsPort
                    || (isItsPort && path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase))
                    ? next(context)
                    : Results.Problem("There is nothing here.", statusCode: StatusCodes.Status404NotFound).ExecuteAsync(context);
            }
        );
        app.MapPost(Path, AcceptAsync)
            .AcceptsAnyQuery()
            .WithHttpLogging(HttpLoggingFields.None)
            .RequireApiKey(services => services.GetRequiredService<IOptions<ObjectStatusOptions>>().Value.ApiKey);
        app.Map(
            Path,
            (HttpResponse response) =>
            {
                response.Headers.Allow = HttpMethods.Post;
                return Results.Problem(
                    $"Only {HttpMethods.Post} is answered here.",
                    statusCode: StatusCodes.Status405MethodNotAllowed
                );
            }
        );
    }

    private static async Task<IResult> AcceptAsync(
        HttpContext context,
        CallbackIntake intake,
        IOptions<ObjectStatusOptions> options,
        ObjectStatusMetrics metrics
    )
    {
        var cancellationToken = context.RequestAborted;
        var request = await CallbackRequest.ReadAsync(context.Request, options.Value, cancellationToken);
        if (request.Status == StatusCodes.Status415UnsupportedMediaType)
            context.Response.Headers.AcceptEncoding = "gzip";
        if (request.Problem is { } problem)
            return Results.Problem(problem, statusCode: request.Status);
        if (await intake.AcceptAsync(request.Ids, cancellationToken))
        {
            metrics.Accepted(request.Ids.Count);
            return Results.Ok(new { accepted = request.Ids.Count });
        }

        context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Results.Problem(
            "The ids could not be made safe; send them again.",
            statusCode: StatusCodes.Status503ServiceUnavailable
        );
    }
}
