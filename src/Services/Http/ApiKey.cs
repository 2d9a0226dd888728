using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Sagas.Services.Http;

/// <summary>The key that a caller sends to change something over HTTP.</summary>
public static class ApiKey
{
    /// <summary>The header that it is sent in.</summary>
    public const string Header = "X-Api-Key";

    /// <summary>The shortest key accepted, in characters.</summary>
    public const int MinLength = 16;

    /// <summary>Accepts only callers with the key: 401 for others, 403 for all while no key is set.</summary>
    /// <typeparam name="TBuilder">The endpoint or group.</typeparam>
    /// <param name="endpoint">The endpoint or group.</param>
    /// <param name="setting">Where the key is set, such as <c>Operations:ApiKey</c>.</param>
    /// <param name="key">Reads the key; null: none is set.</param>
    /// <param name="optional">While no key is set, every caller is accepted.</param>
    public static TBuilder RequireApiKey<TBuilder>(
        this TBuilder endpoint,
        string setting,
        Func<IServiceProvider, string?> key,
        bool optional = false
    )
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.AddEndpointFilter(
            (context, next) =>
            {
                if (key(context.HttpContext.RequestServices) is not { } expected)
                    return optional ? next(context) : ValueTask.FromResult<object?>(NoKeyYet(setting));
                return Matches(context.HttpContext.Request.Headers[Header].ToString(), expected)
                    ? next(context)
                    : ValueTask.FromResult<object?>(
                        Results.Problem(
                            $"The header {Header} is missing or wrong.",
                            statusCode: StatusCodes.Status401Unauthorized
                        )
                    );
            }
        );

    private static IResult NoKeyYet(string setting) =>
        Results.Problem(
            $"Nothing can be changed here until a key is set: start the service with {setting} (as an environment variable: "
                + $"{setting.Replace(":", "__", StringComparison.Ordinal)}) of at least {MinLength} characters, "
                + $"and send it in the header {Header}.",
            statusCode: StatusCodes.Status403Forbidden
        );

    // Hashes have one length and are compared in constant time, so that the response time reveals nothing about the key.
    private static bool Matches(string given, string expected) =>
        CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(given)),
            SHA256.HashData(Encoding.UTF8.GetBytes(expected))
        );
}
