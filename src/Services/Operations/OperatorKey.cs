using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Services.Http;

namespace Sagas.Services.Operations;

/// <summary>The operators' key, <c>Operations:ApiKey</c>.</summary>
public static class OperatorKey
{
    /// <summary>Accepts only callers with the operators' key: 401 for others, 403 for all while no key is set.</summary>
    /// <typeparam name="TBuilder">The endpoint or group.</typeparam>
    /// <param name="endpoint">The endpoint or group.</param>
    public static TBuilder RequireOperatorKey<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireApiKey(
            $"{OperationsOptions.Section}:{nameof(OperationsOptions.ApiKey)}",
            services => services.GetRequiredService<IOptions<OperationsOptions>>().Value.ApiKey
        );
}
