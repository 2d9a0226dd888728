using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sagas.Services.Http;

namespace Sagas.Services.Operations.Access;

/// <summary>Knows callers by the key in <c>X-Api-Key</c> or <c>Authorization: Bearer</c>; without any key configured, callers
/// on this machine may look.</summary>
internal sealed class KeyAuthentication(
    AccessKeys keys,
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>The scheme's name.</summary>
    public const string Scheme_ = "Key";

    private const string Bearer = "Bearer ";

    /// <summary>The key that a request brings in a header.</summary>
    public static string? KeyOf(HttpRequest request)
    {
        if (request.Headers.TryGetValue(ApiKey.Header, out var key))
            return key.ToString();
        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? authorization[Bearer.Length..].Trim()
            : null;
    }

    /// <summary>Who the owner of a key is.</summary>
    public static ClaimsPrincipal Principal(string name, AccessRole role, string scheme) =>
        new(
            new ClaimsIdentity(
                [new Claim(ClaimTypes.Name, name), new Claim(ClaimTypes.Role, role.ToString())],
                scheme,
                ClaimTypes.Name,
                ClaimTypes.Role
            )
        );

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (KeyOf(Request) is { } given)
        {
            return Task.FromResult(
                keys.Find(given) is { } key ? Success(key.Name, key.Role) : AuthenticateResult.Fail("The key is unknown.")
            );
        }

        return Task.FromResult(
            !keys.Any && IsLocal(Context) ? Success("this machine", AccessRole.Viewer) : AuthenticateResult.NoResult()
        );
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        keys.Any
            ? Problem(StatusCodes.Status401Unauthorized, ApiKey.WrongKey)
            : Problem(StatusCodes.Status403Forbidden, NoKeyYet);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Problem(StatusCodes.Status403Forbidden, keys.Any ? MayNotChange(Context.User.Identity?.Name) : NoKeyYet);

    /// <summary>Why others than callers on this machine are turned away while there is no key.</summary>
    internal const string NoKeyYet =
        "No key is set: callers on this machine may look, and nothing can be changed. Start the service with "
        + "Operations:Keys (as an environment variable: Operations__Keys); `sagas keys create` makes a key.";

    /// <summary>Why a viewer is turned away.</summary>
    internal static string MayNotChange(string? name) => $"The key of {name} may look at things, not change them.";

    private static AuthenticateResult Success(string name, AccessRole role) =>
        AuthenticateResult.Success(new AuthenticationTicket(Principal(name, role, Scheme_), Scheme_));

    private static bool IsLocal(HttpContext context) =>
        context.Connection.RemoteIpAddress is not { } address || IPAddress.IsLoopback(address);

    private Task Problem(int status, string detail) => Results.Problem(detail, statusCode: status).ExecuteAsync(Context);
}
