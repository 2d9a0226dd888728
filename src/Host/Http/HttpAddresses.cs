using Sagas.Services.ObjectStatus;

namespace Sagas.Host.Http;

/// <summary>Where the host listens.</summary>
internal static class HttpAddresses
{
    private const string DefaultPorts = "8080";

    /// <summary>Lets Kestrel listen at <see cref="Of"/>, and for the callback at another port.</summary>
    public static void Use(IWebHostBuilder host, IConfiguration configuration, bool callback)
    {
        if (Urls(configuration) is { } urls)
            host.UseUrls(callback ? $"{urls};{Callback(configuration)}" : urls);
        else
            host.UseSetting(
                WebHostDefaults.HttpPortsKey,
                callback ? $"{Ports(configuration)};{Callback(configuration).Port}" : Ports(configuration)
            );
    }

    /// <summary>
    /// Reads ASP.NET Core's own keys (<c>ASPNETCORE_URLS</c>, <c>ASPNETCORE_HTTP_PORTS</c>), also where they were given
    /// with their prefix in a settings dictionary.
    /// </summary>
    public static string Of(IConfiguration configuration) =>
        Urls(configuration)
        ?? string.Join(
            ';',
            Ports(configuration)
                .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(port => $"http://*:{port}")
        );

    // On the same network interface as the others; the system chooses this port where it chooses the others.
    private static BindingAddress Callback(IConfiguration configuration)
    {
        var beside = BindingAddress.Parse(Of(configuration).Split(';')[0]);
        var byDefault = beside.Port == 0 ? 0 : new ObjectStatusOptions().CallbackPort;
        var key = $"{ObjectStatusOptions.Section}:{nameof(ObjectStatusOptions.CallbackPort)}";
        // Validation of the options reports what is not a port.
        var port = ushort.TryParse(configuration[key], out var given) ? given : byDefault;
        return BindingAddress.Parse($"{beside.Scheme}://{beside.Host}:{port}");
    }

    private static string? Urls(IConfiguration configuration) => First(configuration, "urls", "ASPNETCORE_URLS");

    private static string Ports(IConfiguration configuration) =>
        First(configuration, "ASPNETCORE_HTTP_PORTS", "HTTP_PORTS") ?? DefaultPorts;

    private static string? First(IConfiguration configuration, params string[] keys) =>
        keys.Select(key => configuration[key]).FirstOrDefault(value => !string.IsNullOrWhiteSpace(value));
}
