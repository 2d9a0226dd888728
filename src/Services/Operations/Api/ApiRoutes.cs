using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sagas.Services.Operations.Access;

namespace Sagas.Services.Operations.Api;

/// <summary>The HTTP API, <c>/api/v1</c>.</summary>
public static class ApiRoutes
{
    /// <summary>The API's prefix.</summary>
    public const string Prefix = "/api/v1";

    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 500;

    /// <summary>Routes of the API for one kind of thing: a key of any role may read, changes need an operator's.</summary>
    /// <param name="routes">The application.</param>
    /// <param name="tag">The things, as the document groups them.</param>
    internal static RouteGroupBuilder MapApi(this IEndpointRouteBuilder routes, string tag) =>
        routes.MapGroup(Prefix).WithTags(tag).RequireAuthorization(nameof(AccessRole.Viewer)).DisableAntiforgery();

    /// <summary>The endpoint changes something.</summary>
    internal static RouteHandlerBuilder ForOperators(this RouteHandlerBuilder endpoint) =>
        endpoint.RequireAuthorization(nameof(AccessRole.Operator));

    /// <summary>Who calls.</summary>
    internal static string Actor(this HttpContext context) => context.User.Identity?.Name ?? "";

    /// <summary>Whether the caller may see personal data.</summary>
    internal static bool SeesPersonalData(this HttpContext context) => context.User.Has(AccessRole.Operator);

    /// <summary>The size of a page, from what was asked for.</summary>
    internal static int PageSize(int? limit) => Math.Clamp(limit ?? DefaultPageSize, 1, MaxPageSize);

    /// <summary>404 with a sentence.</summary>
    internal static IResult NotFound(string what) =>
        Results.Problem($"There is no {what}.", statusCode: StatusCodes.Status404NotFound);
}
