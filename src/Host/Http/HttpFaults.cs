using Microsoft.AspNetCore.Diagnostics;
using Sagas.Host.Bus;

namespace Sagas.Host.Http;

/// <summary>
/// Answers requests that fail: 503 with <c>Retry-After</c> while database or broker are unavailable, 500 otherwise, as
/// <c>application/problem+json</c>.
/// </summary>
internal sealed partial class HttpFaults(IProblemDetailsService problems, ILogger<HttpFaults> logger) : IExceptionHandler
{
    private const int RetryAfterSeconds = 5;

    /// <summary>Adds the handler.</summary>
    public static void Add(IServiceCollection services) => services.AddProblemDetails().AddExceptionHandler<HttpFaults>();

    /// <summary>Lets the application use it, and describe in the same way what has no route or another method.</summary>
    public static void Use(WebApplication app) =>
        app.UseExceptionHandler(
                new ExceptionHandlerOptions
                {
                    StatusCodeSelector = exception =>
                        (exception as BadHttpRequestException)?.StatusCode ?? StatusCodes.Status500InternalServerError,
                }
            )
            .UseStatusCodePages();

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        // A request that was cut off is an IOException too, but its sender's fault.
        if (exception is BadHttpRequestException || TransientFaults.Classify(exception) != FaultKind.Transient)
            return false;
        LogUnavailable(httpContext.Request.Method, httpContext.Request.Path, exception.GetBaseException().Message);
        httpContext.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        httpContext.Response.Headers.RetryAfter = $"{RetryAfterSeconds}";
        await problems.WriteAsync(
            new ProblemDetailsContext
            {
                HttpContext = httpContext,
                ProblemDetails =
                {
                    Status = StatusCodes.Status503ServiceUnavailable,
                    Detail =
                        "Database or broker is unavailable, and the request may or may not have taken effect: send it again.",
                },
            }
        );
        return true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Method} {Path} failed with 503: {Reason}")]
    private partial void LogUnavailable(string method, string path, string reason);
}
