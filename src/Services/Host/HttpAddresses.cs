namespace Sagas.Host;

/// <summary>Where the host listens.</summary>
internal static class HttpAddresses
{
    private const string DefaultPorts = "8080";

    /// <summary>Lets Kestrel listen at <see cref="Of"/>.</summary>
    public static void Use(IWebHostBuilder host, IConfiguration configuration)
    {
        if (Urls(configuration) is { } urls)
            host.UseUrls(urls);
        else
            host.UseSetting(WebHostDefaults.HttpPortsKey, Ports(configuration));
    }

    /// <summary>
    /// Reads ASP.NET Core's own keys (<c>ASPNETCORE_URLS</c>, <c>ASPNETCORE_HTTP_PORTS</c>), also where they were given
    /// with their prefix in a settings dictionary.
    /// </summary>
    public static string Of(IConfiguration configuration) =>
        Urls(configuration) ?? string.Join(';', Ports(configuration)
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(port => $"http://*:{port}"));

    private static string? Urls(IConfiguration configuration) => First(configuration, "urls", "ASPNETCORE_URLS");

    private static string Ports(IConfiguration configuration) => First(configuration, "ASPNETCORE_HTTP_PORTS", "HTTP_PORTS") ?? DefaultPorts;

    private static string? First(IConfiguration configuration, params string[] keys) =>
        keys.Select(key => configuration[key]).FirstOrDefault(value => !string.IsNullOrWhiteSpace(value));
}
