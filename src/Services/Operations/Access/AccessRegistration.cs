using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.Services.Operations.Access;

/// <summary>Who may use the operators' interface.</summary>
internal static class AccessRegistration
{
    /// <summary>The rate limit of signing in.</summary>
    public const string SignInLimit = "sign-in";

    private const string Selector = "Access";

    private const int SignInsPerMinute = 10;

    private static readonly TimeSpan _session = TimeSpan.FromHours(12);

    public static void AddAccess(this IServiceCollection services)
    {
        services
            .AddAuthentication(Selector)
            .AddPolicyScheme(Selector, Selector, options => options.ForwardDefaultSelector = Select)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.Scheme_, null)
            .AddCookie(ConfigureCookie);
        services
            .AddAuthorizationBuilder()
            .AddPolicy(nameof(AccessRole.Viewer), policy => policy.RequireRole(From(AccessRole.Viewer)))
            .AddPolicy(nameof(AccessRole.Operator), policy => policy.RequireRole(From(AccessRole.Operator)))
            .AddPolicy(nameof(AccessRole.Admin), policy => policy.RequireRole(From(AccessRole.Admin)));
        services.AddRateLimiter(options =>
        {
            options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            options.AddPolicy(
                SignInLimit,
                context =>
                    RateLimitPartition.GetFixedWindowLimiter(
                        context.Connection.RemoteIpAddress?.ToString() ?? "",
                        _ => new() { PermitLimit = SignInsPerMinute, Window = TimeSpan.FromMinutes(1) }
                    )
            );
        });
        services.AddDataProtection().SetApplicationName("sagas");
        services.AddSingleton<DataProtectionKeys>();
        services
            .AddOptions<Microsoft.AspNetCore.DataProtection.KeyManagement.KeyManagementOptions>()
            .Configure<DataProtectionKeys>((options, keys) => options.XmlRepository = keys);
        services.AddAntiforgery(options => options.Cookie.Name = "sagas-form");
    }

    /// <summary>Whether a caller has a role or one above it.</summary>
    public static bool Has(this ClaimsPrincipal user, AccessRole role) => From(role).Any(user.IsInRole);

    private static string[] From(AccessRole role) =>
        [.. Enum.GetValues<AccessRole>().Where(one => one >= role).Select(one => one.ToString())];

    private static string Select(HttpContext context)
    {
        var keys = context.RequestServices.GetRequiredService<AccessKeys>();
        return
            KeyAuthentication.KeyOf(context.Request) is not null
            || !keys.Any
            || context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
            ? KeyAuthentication.Scheme_
            : CookieAuthenticationDefaults.AuthenticationScheme;
    }

    private static void ConfigureCookie(CookieAuthenticationOptions options)
    {
        options.Cookie.Name = "sagas";
        options.Cookie.HttpOnly = true;
        options.Cookie.SameSite = SameSiteMode.Strict;
        // Secure wherever the request is: a proxy that ends TLS says so in X-Forwarded-Proto.
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.ExpireTimeSpan = _session;
        options.LoginPath = "/sign-in";
        options.AccessDeniedPath = "/not-allowed";
        options.ReturnUrlParameter = "returnTo";
        // A key that is taken out of the configuration ends its sessions.
        options.Events.OnValidatePrincipal = context =>
        {
            var known = context.HttpContext.RequestServices.GetRequiredService<AccessKeys>();
            if (!known.Has(context.Principal?.Identity?.Name, context.Principal?.FindFirstValue(ClaimTypes.Role)))
                context.RejectPrincipal();
            return Task.CompletedTask;
        };
    }
}
