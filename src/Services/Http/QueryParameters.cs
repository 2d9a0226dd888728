using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Sagas.Configuration;

namespace Sagas.Services.Http;

/// <summary>
/// Answers 400 to a request with a parameter that its endpoint does not have: one that is misspelled would be ignored, and a
/// retry of one thing would be a retry of everything.
/// </summary>
public static class QueryParameters
{
    /// <summary>Names parameters that an endpoint reads from the query by itself, besides those of its handler.</summary>
    /// <typeparam name="TBuilder">The endpoint or group.</typeparam>
    /// <param name="endpoint">The endpoint or group.</param>
    /// <param name="names">The names.</param>
    public static TBuilder AcceptsQuery<TBuilder>(this TBuilder endpoint, params string[] names)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new Accepted(names));

    /// <summary>Accepts any parameter: other systems have the address and may add parameters of their own.</summary>
    /// <typeparam name="TBuilder">The endpoint or group.</typeparam>
    /// <param name="endpoint">The endpoint or group.</param>
    public static TBuilder AcceptsAnyQuery<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new Accepted(null));

    /// <summary>Rejects unknown parameters at every endpoint.</summary>
    /// <param name="app">The application.</param>
    public static void UseKnownQueryParameters(this WebApplication app) =>
        app.Use(
            (context, next) =>
                context.Request.Query.Count > 0
                && context.GetEndpoint() is RouteEndpoint endpoint
                && Problem(endpoint, context.Request.Query.Keys) is { } problem
                    ? Results.Problem(problem, statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context)
                    : next(context)
        );

    private static string? Problem(RouteEndpoint endpoint, ICollection<string> given)
    {
        var accepted = endpoint.Metadata.GetOrderedMetadata<Accepted>();
        if (accepted.Any(one => one.Names is null))
            return null;
        var known = accepted
            .SelectMany(one => one.Names!)
            .Concat(endpoint.Metadata.OfType<IParameterBindingMetadata>().Where(IsValue).Select(parameter => parameter.Name))
            .Except(endpoint.RoutePattern.Parameters.Select(parameter => parameter.Name), StringComparer.OrdinalIgnoreCase)
            .ToArray();
        return given.FirstOrDefault(name => !known.Contains(name, StringComparer.OrdinalIgnoreCase)) is { } unknown
            ? Sentence(unknown, known)
            : null;
    }

    // What is neither text nor read from text is a service.
    private static bool IsValue(IParameterBindingMetadata parameter) =>
        parameter.ParameterInfo.ParameterType == typeof(string) || parameter.HasTryParse;

    private static string Sentence(string unknown, string[] known)
    {
        var name = string.Concat(unknown.Take(50).Where(sign => !char.IsControl(sign)));
        return $"Unknown parameter '{name}'; nothing was done. "
            + (
                NearestName.Of(name, known) is { } meant ? $"Did you mean '{meant}'?"
                : known.Length > 0 ? $"Known: {string.Join(", ", known)}."
                : "There are no parameters here."
            );
    }

    private sealed record Accepted(IReadOnlyList<string>? Names);
}
