using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Sagas.Services.Http;
using Sagas.Services.Operations.Access;

namespace Sagas.Services.Operations;

/// <summary>The keys of operators, for endpoints outside the API.</summary>
public static class OperatorKey
{
    /// <summary>Accepts only callers with an operator's key: 401 for others, 403 for viewers, and for all while no key is
    /// set.</summary>
    /// <typeparam name="TBuilder">The endpoint or group.</typeparam>
    /// <param name="endpoint">The endpoint or group.</param>
    public static TBuilder RequireOperatorKey<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint
            .WithMetadata(new Required())
            .AddEndpointFilter((context, next) => Problem(context.HttpContext) is { } problem ? new(problem) : next(context));

    private static IResult? Problem(HttpContext context)
    {
        var keys = context.RequestServices.GetRequiredService<AccessKeys>();
        if (!keys.Any)
            return Results.Problem(KeyAuthentication.NoKeyYet, statusCode: StatusCodes.Status403Forbidden);
        return keys.Find(KeyAuthentication.KeyOf(context.Request)) switch
        {
            null => Results.Problem(ApiKey.WrongKey, statusCode: StatusCodes.Status401Unauthorized),
            { Role: < AccessRole.Operator } key => Results.Problem(
                KeyAuthentication.MayNotChange(key.Name),
                statusCode: StatusCodes.Status403Forbidden
            ),
            _ => null,
        };
    }

    /// <summary>Marks the endpoint, for those who look whether any lacks a key.</summary>
    internal sealed class Required;
}
