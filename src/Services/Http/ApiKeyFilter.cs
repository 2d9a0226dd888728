using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Sagas.Services.Operations;

namespace Sagas.Services.Http;

/// <summary>Lets only those change anything who send the key (<see cref="OperationsOptions.ApiKey"/>) in a header.</summary>
public static class ApiKeyFilter
{
    /// <summary>The header with the key.</summary>
    public const string Header = "X-Api-Key";

    /// <summary>An endpoint's filter; the answer without a good key is a problem document, 401, or 403 while no key is set.</summary>
    /// <param name="context">The request.</param>
    /// <param name="next">The endpoint.</param>
    public static async ValueTask<object?> RequireAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        var http = context.HttpContext;
        var options = (IOptions<OperationsOptions>)http.RequestServices.GetService(typeof(IOptions<OperationsOptions>))!;
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
