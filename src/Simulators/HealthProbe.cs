namespace Sagas.Simulators;

/// <summary>
/// Asks a health endpoint from inside a container, where the base image has neither curl nor wget.
/// </summary>
internal static class HealthProbe
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(4);

    public static async Task<int> RunAsync(string? url, CancellationToken cancellationToken)
    {
        var address = url ?? $"http://localhost:{LocalPort()}/health/ready";
        try
        {
            using var client = new HttpClient { Timeout = _timeout };
            using var response = await client.GetAsync(address, cancellationToken);
            if (response.IsSuccessStatusCode)
                return 0;
            await Console.Error.WriteLineAsync(
                $"{address}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellationToken)}"
            );
        }
        catch (Exception exception)
            when (exception
                    is HttpRequestException
                        or OperationCanceledException
                        or UriFormatException
                        or InvalidOperationException
                        or NotSupportedException
            )
        {
            await Console.Error.WriteLineAsync($"{address}: {exception.Message}");
        }

        return 1;
    }

    private static string LocalPort()
    {
        var ports = Environment.GetEnvironmentVariable("ASPNETCORE_HTTP_PORTS");
        return string.IsNullOrWhiteSpace(ports) ? SimulatorHost.DefaultPort : ports.Split(';')[0];
    }
}
