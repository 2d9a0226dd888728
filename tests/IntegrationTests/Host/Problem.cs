using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Sagas.IntegrationTests.Host;

/// <summary>A problem details answer (RFC 9457).</summary>
internal static class Problem
{
    /// <summary>The detail of a problem; empty where it has none.</summary>
    public static async Task<string> ReadDetailAsync(HttpResponseMessage response, HttpStatusCode expected)
    {
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        return problem.TryGetProperty("detail", out var detail) ? detail.GetString()! : "";
    }
}
