using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Sagas.IntegrationTests.Host;

[Collection(nameof(KillableServers))]
public sealed class HttpFaultsTests(KillableServers servers)
{
    private const string Key = "a-key-that-is-long-enough";

    private static async Task<string> ReadDetailAsync(HttpResponseMessage response, HttpStatusCode expected)
    {
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        return problem.TryGetProperty("detail", out var detail) ? detail.GetString()! : "";
    }

    [PrivateServersFact]
    public async Task While_the_database_is_away_callers_are_asked_to_come_again()
    {
        var folder = Directory.CreateTempSubdirectory("uploads");
        await using var system = await TestSystem.CreateAsync(servers, ("Operations:ApiKey", Key), ("Ingest:UploadFolder", folder.FullName));
        try
        {
            await system.StartAsync();
            system.Http.DefaultRequestHeaders.Add("X-Api-Key", Key);
            await servers.Postgres.KillAsync();
            foreach (var path in (string[])["/uploads", "/operations/crm/retry", "/retry"])
            {
                using var body = new StringContent("id\n1\n");
                using var response = await system.Http.PostAsync(new Uri(path, UriKind.Relative), body);
                Assert.Contains("again", await ReadDetailAsync(response, HttpStatusCode.ServiceUnavailable));
                Assert.NotNull(response.Headers.RetryAfter);
            }
        }
        finally
        {
            await servers.Postgres.StartAgainAsync();
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task What_is_not_there_or_malformed_is_a_problem_too()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Operations:ApiKey", Key));
        await system.StartAsync();
        system.Http.DefaultRequestHeaders.Add("X-Api-Key", Key);
        await ReadDetailAsync(await system.Http.GetAsync(new Uri("/nowhere", UriKind.Relative)), HttpStatusCode.NotFound);
        await ReadDetailAsync(await system.Http.GetAsync(new Uri("/uploads", UriKind.Relative)), HttpStatusCode.MethodNotAllowed);
        await ReadDetailAsync(await system.Http.GetAsync(new Uri("/retry?file=x", UriKind.Relative)), HttpStatusCode.BadRequest);
        // Nobody outside is told that this process runs.
        Assert.False(system.Services.GetRequiredService<IOptions<UsageTelemetryOptions>>().Value.Enabled);
    }
}
