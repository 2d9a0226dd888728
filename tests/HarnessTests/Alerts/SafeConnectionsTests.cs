using System.Net;
using System.Net.Sockets;
using Sagas.Services.Http;

namespace Sagas.HarnessTests.Alerts;

public sealed class SafeConnectionsTests
{
    [Theory]
    [InlineData("93.184.215.14", AddressKind.Public)]
    [InlineData("2606:2800:21f:cb07:6820:80da:af6b:8b2c", AddressKind.Public)]
    [InlineData("::ffff:93.184.215.14", AddressKind.Public)]
    [InlineData("64:ff9b::93.184.215.14", AddressKind.Public)]
    [InlineData("127.0.0.1", AddressKind.Private)]
    [InlineData("127.255.255.254", AddressKind.Private)]
    [InlineData("::1", AddressKind.Private)]
    [InlineData("::ffff:127.0.0.1", AddressKind.Private)]
    [InlineData("10.1.2.3", AddressKind.Private)]
    [InlineData("172.31.255.255", AddressKind.Private)]
    [InlineData("192.168.0.1", AddressKind.Private)]
    [InlineData("100.64.0.1", AddressKind.Private)]
    [InlineData("fd12:3456::1", AddressKind.Private)]
    [InlineData("0.0.0.0", AddressKind.Forbidden)]
    [InlineData("::", AddressKind.Forbidden)]
    [InlineData("169.254.169.254", AddressKind.Forbidden)]
    [InlineData("::ffff:169.254.169.254", AddressKind.Forbidden)]
    [InlineData("fd00:ec2::254", AddressKind.Forbidden)]
    [InlineData("100.100.100.200", AddressKind.Forbidden)]
    [InlineData("fe80::1", AddressKind.Forbidden)]
    [InlineData("224.0.0.1", AddressKind.Forbidden)]
    [InlineData("ff02::1", AddressKind.Forbidden)]
    [InlineData("255.255.255.255", AddressKind.Forbidden)]
    [InlineData("64:ff9b::127.0.0.1", AddressKind.Forbidden)]
    [InlineData("64:ff9b::169.254.169.254", AddressKind.Forbidden)]
    [InlineData("2002:7f00:1::", AddressKind.Forbidden)]
    [InlineData("2001:0:1::1", AddressKind.Forbidden)]
    [InlineData("64:ff9b:1::1", AddressKind.Forbidden)]
    public void Addresses_are_told_apart_by_where_they_lead(string address, AddressKind kind) =>
        Assert.Equal(kind, AddressKinds.KindOf(IPAddress.Parse(address)));

    [Fact]
    public async Task A_name_that_leads_home_is_connected_to_only_when_it_is_allowed()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var home = new DnsEndPoint("receiver.example", port);

        await Assert.ThrowsAsync<AddressRefusedException>(() => Resolving("127.0.0.1").ConnectAsync(home, default));
        await using var connection = await Resolving("127.0.0.1", "RECEIVER.example").ConnectAsync(home, default);
        Assert.True(listener.Pending());
    }

    [Fact]
    public async Task Of_a_names_addresses_only_those_that_may_be_are_tried()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        // The first is refused although the host is allowed, the second is where somebody listens.
        await using var connection = await Resolving("169.254.169.254,127.0.0.1", "receiver.example")
            .ConnectAsync(new DnsEndPoint("receiver.example", port), default);

        Assert.True(listener.Pending());
    }

    [Fact]
    public async Task A_metadata_address_is_refused_even_to_a_host_that_is_allowed() =>
        await Assert.ThrowsAsync<AddressRefusedException>(
            () => Resolving("169.254.169.254", "receiver.example").ConnectAsync(new DnsEndPoint("receiver.example", 80), default));

    [Fact]
    public void No_proxy_and_no_redirect_lead_past_the_check()
    {
        using var handler = new SocketsHttpHandler();

        new SafeConnections([]).Guard(handler);

        Assert.False(handler.UseProxy);
        Assert.False(handler.AllowAutoRedirect);
    }

    private static SafeConnections Resolving(string addresses, params string[] allowed) =>
        new(allowed, (_, _) => Task.FromResult(addresses.Split(',').Select(IPAddress.Parse).ToArray()));
}
