using System.Net;
using System.Net.Sockets;
using System.Text;
using Sagas.OutboundCalls;

namespace Sagas.UnitTests.OutboundCalls;

/// <summary>Which addresses of an external URL are connected to.</summary>
public sealed class SafeConnectionsTests
{
    [Theory]
    [InlineData("93.184.215.14", AddressKind.Public)]
    [InlineData("2606:2800:21f:cb07:6820:80da:af6b:8b2c", AddressKind.Public)]
    [InlineData("127.0.0.1", AddressKind.Private)]
    [InlineData("127.255.1.2", AddressKind.Private)]
    [InlineData("::1", AddressKind.Private)]
    [InlineData("10.1.2.3", AddressKind.Private)]
    [InlineData("172.31.255.255", AddressKind.Private)]
    [InlineData("172.32.0.1", AddressKind.Public)]
    [InlineData("192.168.0.1", AddressKind.Private)]
    [InlineData("100.64.0.1", AddressKind.Private)]
    [InlineData("fd12::1", AddressKind.Private)]
    [InlineData("169.254.169.254", AddressKind.Forbidden)]
    [InlineData("fe80::1", AddressKind.Forbidden)]
    [InlineData("fd00:ec2::254", AddressKind.Forbidden)]
    [InlineData("100.100.100.200", AddressKind.Forbidden)]
    [InlineData("0.0.0.0", AddressKind.Forbidden)]
    [InlineData("::", AddressKind.Forbidden)]
    [InlineData("224.0.0.1", AddressKind.Forbidden)]
    [InlineData("255.255.255.255", AddressKind.Forbidden)]
    [InlineData("::ffff:127.0.0.1", AddressKind.Private)]
    [InlineData("::ffff:169.254.169.254", AddressKind.Forbidden)]
    [InlineData("64:ff9b::a9fe:a9fe", AddressKind.Forbidden)]
    [InlineData("64:ff9b::7f00:1", AddressKind.Forbidden)]
    [InlineData("2002:7f00:1::", AddressKind.Forbidden)]
    [InlineData("::127.0.0.1", AddressKind.Forbidden)]
    public void An_address_is_classified_in_every_notation(string address, AddressKind kind) =>
        Assert.Equal(kind, AddressKinds.KindOf(IPAddress.Parse(address)));

    [Theory]
    [InlineData("hooks.example.com", "10.0.0.1", false)]
    [InlineData("inside.example.com", "10.0.0.1", true)]
    [InlineData("INSIDE.example.com", "127.0.0.1", true)]
    [InlineData("inside.example.com", "169.254.169.254", false)]
    [InlineData("169.254.169.254", "169.254.169.254", true)]
    [InlineData("hooks.example.com", "93.184.215.14", true)]
    public void A_private_address_needs_an_allowed_host_and_a_forbidden_one_must_be_allowed_itself(
        string host,
        string address,
        bool may
    ) =>
        Assert.Equal(
            may,
            new SafeConnections(["inside.example.com", "169.254.169.254"]).MayConnect(host, IPAddress.Parse(address))
        );

    [Fact]
    public async Task A_name_that_resolves_to_a_private_address_is_rejected_before_anything_is_sent()
    {
        using var inside = new Listener();
        using var client = Client([], _ => [IPAddress.Loopback]);

        var error = await Assert.ThrowsAsync<HttpRequestException>(() =>
            client.GetAsync(new Uri($"http://hooks.example.com:{inside.Port}/"))
        );

        Assert.IsType<AddressNotAllowedException>(error.GetBaseException());
        Assert.False(inside.WasConnectedTo);
    }

    [Fact]
    public async Task A_name_is_resolved_once_so_that_a_second_answer_cannot_lead_elsewhere()
    {
        using var inside = new Listener();
        var asked = 0;
        // As in DNS rebinding: checked with one answer, connected with another.
        using var client = Client(
            ["hooks.example.com"],
            _ => asked++ == 0 ? [IPAddress.Loopback] : [IPAddress.Parse("169.254.169.254")]
        );

        Assert.Equal("hello", await client.GetStringAsync(new Uri($"http://hooks.example.com:{inside.Port}/")));

        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task Of_several_addresses_only_allowed_ones_are_connected_to()
    {
        using var inside = new Listener();
        using var client = Client(["hooks.example.com"], _ => [IPAddress.Parse("169.254.169.254"), IPAddress.Loopback]);

        Assert.Equal("hello", await client.GetStringAsync(new Uri($"http://hooks.example.com:{inside.Port}/")));
    }

    [Theory]
    [InlineData("http://127.1:{0}/")]
    [InlineData("http://2130706433:{0}/")]
    [InlineData("http://0x7f.1:{0}/")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/")]
    [InlineData("http://localhost:{0}/")]
    public async Task This_machine_is_not_reached_by_another_spelling(string url)
    {
        using var inside = new Listener();
        using var client = Client([], null);

        await Assert.ThrowsAsync<HttpRequestException>(() =>
            client.GetAsync(new Uri(string.Format(System.Globalization.CultureInfo.InvariantCulture, url, inside.Port)))
        );

        Assert.False(inside.WasConnectedTo);
    }

    [Fact]
    public async Task Redirects_are_not_followed()
    {
        using var target = new Listener();
        using var inside = new Listener(
            $"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{target.Port}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        using var client = Client(["127.0.0.1"], null);

        using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{inside.Port}/"));

        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        Assert.False(target.WasConnectedTo);
    }

    private static HttpClient Client(string[] allowed, Func<string, IPAddress[]>? resolve)
    {
        var handler = new SocketsHttpHandler();
        new SafeConnections(allowed, resolve is null ? null : (host, _) => Task.FromResult(resolve(host))).Guard(handler);
        return new HttpClient(handler) { Timeout = Eventually.Timeout };
    }

    /// <summary>Answers on a loopback port, and records whether a client connected.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private int _connections;

        public Listener(string response = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        {
            _listener.Start();
            _ = AnswerAsync(Encoding.ASCII.GetBytes(response));
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public bool WasConnectedTo => Volatile.Read(ref _connections) > 0 || _listener.Pending();

        public void Dispose() => _listener.Dispose();

        private async Task AnswerAsync(byte[] response)
        {
            try
            {
                while (true)
                {
                    using var connection = await _listener.AcceptTcpClientAsync();
                    Interlocked.Increment(ref _connections);
                    var stream = connection.GetStream();
                    _ = await stream.ReadAsync(new byte[4096]);
                    await stream.WriteAsync(response);
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException)
            {
                // The test is over.
            }
        }
    }
}
