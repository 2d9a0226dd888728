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
        where TBuilder : IEndpointConventionBuilder => endpoint.AddEndpointFilter<TBuilder>((context, next) =>
            context.HttpContext.RequestServices.GetRequiredService<IOptions<OperationsOptions>>().Value.ApiKey is { } expected
                ? CheckAsync(context, next, expected)
                : Refuse(
                    "Nothing can be changed here until a key is set: start the service with Operations:ApiKey (as an environment variable: "
                    + $"Operations__ApiKey) of at least {OperationsOptions.ShortestApiKey} characters, and send it in the header {Header}.",
                    StatusCodes.Status403Forbidden));

    /// <summary>Refuses requests without a key of the endpoint's own with 401; without such a key, everybody is let through.</summary>
    /// <typeparam name="TBuilder">The endpoint.</typeparam>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="key">Reads the key; null: there is none.</param>
    public static TBuilder RequireApiKeyIfSet<TBuilder>(this TBuilder endpoint, Func<IServiceProvider, string?> key)
        where TBuilder : IEndpointConventionBuilder => endpoint.AddEndpointFilter<TBuilder>((context, next) =>
            key(context.HttpContext.RequestServices) is { } expected ? CheckAsync(context, next, expected) : next(context));

    private static ValueTask<object?> CheckAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next, string expected) =>
        Matches(context.HttpContext.Request.Headers[Header].ToString(), expected)
            ? next(context)
            : Refuse($"The header {Header} is missing or wrong.", StatusCodes.Status401Unauthorized);

    private static ValueTask<object?> Refuse(string why, int status) => ValueTask.FromResult<object?>(Results.Problem(why, statusCode: status));

    // Hashes have one length and are compared in constant time, so that an answer's delay tells nothing about the key.
    private static bool Matches(string given, string expected) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), SHA256.HashData(Encoding.UTF8.GetBytes(expected)));
}
