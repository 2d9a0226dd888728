namespace Sagas.Host;

/// <summary>Where the host listens.</summary>
internal static class HttpAddresses
{
    private const string DefaultPorts = "8080";

    /// <summary>
    /// Reads ASP.NET Core's own keys (<c>ASPNETCORE_URLS</c>, <c>ASPNETCORE_HTTP_PORTS</c>), also where they were given
    /// with their prefix in a settings dictionary.
    /// </summary>
    public static string Of(IConfiguration configuration)
    {
        if (First(configuration, "urls", "ASPNETCORE_URLS") is { } urls)
            return urls;
        var ports = First(configuration, "ASPNETCORE_HTTP_PORTS", "HTTP_PORTS") ?? DefaultPorts;
        return string.Join(';', ports.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(port => $"http://*:{port}"));
    }

    private static string? First(IConfiguration configuration, params string[] keys) =>
        keys.Select(key => configuration[key]).FirstOrDefault(value => !string.IsNullOrWhiteSpace(value));
}
