using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Sagas.Services.Operations.Audit;

namespace Sagas.Services.Operations.Access;

/// <summary>Signing in to the dashboard with a key, and out.</summary>
internal static class SignInEndpoints
{
    public static void MapSignIn(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/sign-in", SignInAsync).AllowAnonymous().RequireRateLimiting(AccessRegistration.SignInLimit);
        routes.MapPost("/sign-out", SignOutAsync).RequireAuthorization(nameof(AccessRole.Viewer));
    }

    private static async Task<IResult> SignInAsync(
        HttpContext context,
        [FromForm] string? key,
        [FromForm] string? returnTo,
        AccessKeys keys,
        AuditLog audit,
        CancellationToken cancellationToken
    )
    {
        var back = LocalPath.Of(returnTo);
        if (keys.Find(key?.Trim()) is not { } found)
            return Results.LocalRedirect($"/sign-in?failed=true&returnTo={Uri.EscapeDataString(back)}");
        const string scheme = CookieAuthenticationDefaults.AuthenticationScheme;
        await context.SignInAsync(scheme, KeyAuthentication.Principal(found.Name, found.Role, scheme));
        await audit.WriteAsync(found.Name, "sign-in", $"key/{found.Name}", "signed in", cancellationToken);
        return Results.LocalRedirect(back);
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, [FromForm] string? returnTo)
    {
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.LocalRedirect($"/sign-in?returnTo={Uri.EscapeDataString(LocalPath.Of(returnTo))}");
    }
}
