using Sagas.Host.Http;

namespace Sagas.Host.Health;

/// <summary>
/// Asks a running host on this machine whether it is ready: the container's health check, where there is no curl.
/// </summary>
internal static class HealthProbe
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(5);

    /// <returns>Exit code: 0 when it is ready.</returns>
    public static async Task<int> RunAsync(IConfiguration configuration, TextWriter output)
    {
        var url = Address(configuration) + HealthEndpoints.Ready;
        try
        {
            using var client = new HttpClient { Timeout = _timeout };
            using var response = await client.GetAsync(new Uri(url));
            await output.WriteLineAsync(await response.Content.ReadAsStringAsync());
            return response.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            await output.WriteLineAsync($"{url} does not answer: {exception.GetBaseException().Message}");
            return 1;
        }
    }

    // The first of several addresses; for a wildcard, the loopback interface.
    private static string Address(IConfiguration configuration)
    {
        var first = HttpAddresses.Of(configuration).Split(';')[0].TrimEnd('/');
        foreach (var wildcard in (ReadOnlySpan<string>)["://*", "://+", "://0.0.0.0", "://[::]"])
            first = first.Replace(wildcard, "://127.0.0.1", StringComparison.Ordinal);
        return first;
    }
}
