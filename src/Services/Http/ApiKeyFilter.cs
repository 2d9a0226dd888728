using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Services.Operations;

namespace Sagas.Services.Http;

/// <summary>Keeps endpoints that change something to callers who send the key.</summary>
internal static class ApiKeyFilter
{
    private const string Header = "X-Api-Key";

    /// <summary>Refuses requests without the key <c>Operations:ApiKey</c> in the header <c>X-Api-Key</c>: 401, or 403 when the
    /// service has no key.</summary>
    public static TBuilder RequireApiKey<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.AddEndpointFilter<TBuilder>(CheckAsync);

    private static async ValueTask<object?> CheckAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var options = http.RequestServices.GetRequiredService<IOptions<OperationsOptions>>();
        if (options.Value.ApiKey is not { } expected)
        {
            return Results.Problem(
                "Nothing can be changed here until a key is set: start the service with Operations:ApiKey (as an environment variable: "
                + $"Operations__ApiKey) of at least {OperationsOptions.ShortestApiKey} characters, and send it in the header {Header}.",
                statusCode: StatusCodes.Status403Forbidden);
        }
        if (!Matches(http.Request.Headers[Header].ToString(), expected))
            return Results.Problem($"The header {Header} is missing or wrong.", statusCode: StatusCodes.Status401Unauthorized);
        return await next(context);
    }

    // Hashes have one length and are compared in constant time, so that an answer's delay tells nothing about the key.
    private static bool Matches(string given, string expected) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), SHA256.HashData(Encoding.UTF8.GetBytes(expected)));
}
