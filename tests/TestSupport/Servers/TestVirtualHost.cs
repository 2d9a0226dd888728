namespace Sagas.TestSupport.Servers;

/// <summary>A virtual host of a test's own.</summary>
public sealed class TestVirtualHost : IAsyncDisposable
{
    private readonly VirtualHosts _hosts;
    private readonly string _name;

    private TestVirtualHost(VirtualHosts hosts, string name, Uri uri)
    {
        _hosts = hosts;
        _name = name;
        Uri = uri;
    }

    /// <summary>Its AMQP address with user and password.</summary>
    public Uri Uri { get; }

    /// <summary>Deletes it with all that is in it.</summary>
    public async ValueTask DisposeAsync() => await _hosts.DeleteAsync(_name);

    internal static async Task<TestVirtualHost> CreateAsync(VirtualHosts hosts, string name) => new(hosts, name, await hosts.CreateAsync(name));
}
