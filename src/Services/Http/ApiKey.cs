using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Sagas.Services.Http;

/// <summary>The key that a caller sends in a header.</summary>
public static class ApiKey
{
    /// <summary>The header that it is sent in.</summary>
    public const string Header = "X-Api-Key";

    /// <summary>The shortest key accepted, in characters.</summary>
    public const int MinLength = 16;

    /// <summary>Why a caller is turned away.</summary>
    public const string WrongKey = $"The header {Header} is missing or wrong.";

    /// <summary>Accepts only callers with the key: 401 for others. While no key is set, every caller is accepted.</summary>
    /// <typeparam name="TBuilder">The endpoint or group.</typeparam>
    /// <param name="endpoint">The endpoint or group.</param>
    /// <param name="key">Reads the key; null: none is set.</param>
    public static TBuilder RequireApiKey<TBuilder>(this TBuilder endpoint, Func<IServiceProvider, string?> key)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.AddEndpointFilter(
            (context, next) =>
                key(context.HttpContext.RequestServices) is not { } expected
                || Matches(context.HttpContext.Request.Headers[Header].ToString(), expected)
                    ? next(context)
                    : ValueTask.FromResult<object?>(Results.Problem(WrongKey, statusCode: StatusCodes.Status401Unauthorized))
        );

    /// <summary>The hash by which keys are compared; of a random key a fast one is enough.</summary>
    /// <param name="key">The key.</param>
    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    // Hashes have one length and are compared in constant time, so that the response time reveals nothing about the key.
    private static bool Matches(string given, string expected) =>
        CryptographicOperations.FixedTimeEquals(HashOf(given), HashOf(expected));
}
