using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Sagas.OutboundCalls;

/// <summary>The kind of network an address is on, for a server that connects where others ask it to.</summary>
public enum AddressKind
{
    /// <summary>On the internet.</summary>
    Public,

    /// <summary>This machine or a private network: loopback, RFC 1918, shared (carrier-grade NAT), unique local.</summary>
    Private,

    /// <summary>Link-local, where cloud machines have their metadata; other metadata addresses; multicast; reserved.</summary>
    Forbidden,
}

/// <summary>Sorts addresses into kinds.</summary>
public static class AddressKinds
{
    // Metadata services outside the link-local range: Amazon over IPv6, Alibaba, Oracle.
    private static readonly IPAddress[] _metadata =
    [
        IPAddress.Parse("fd00:ec2::254"),
        IPAddress.Parse("100.100.100.200"),
        IPAddress.Parse("192.0.0.192"),
    ];

    private static readonly IPNetwork[] _private = Networks(
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7"
    );

    private static readonly IPNetwork[] _publicV6 = Networks("2000::/3");

    // Within the public ranges: documentation, benchmarks, protocol assignments with Teredo, deprecated relays.
    private static readonly IPNetwork[] _forbidden = Networks(
        "0.0.0.0/8",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20"
    );

    private static readonly IPNetwork _nat64 = IPNetwork.Parse("64:ff9b::/96");

    private static readonly IPNetwork _compatible = IPNetwork.Parse("::/96");

    private static readonly IPNetwork _sixToFour = IPNetwork.Parse("2002::/16");

    /// <summary>The kind of an address; an IPv6 address that stands for an IPv4 one is of that one's kind.</summary>
    /// <param name="address">Any address.</param>
    public static AddressKind KindOf(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (Embedded(address) is { } inner)
            return KindOf(inner) == AddressKind.Public ? AddressKind.Public : AddressKind.Forbidden;
        if (address.IsIPv4MappedToIPv6)
            return KindOf(address.MapToIPv4());
        if (_metadata.Contains(address) || Array.Exists(_forbidden, network => network.Contains(address)))
            return AddressKind.Forbidden;
        if (Array.Exists(_private, network => network.Contains(address)))
            return AddressKind.Private;
        return
            address.AddressFamily == AddressFamily.InterNetwork || Array.Exists(_publicV6, network => network.Contains(address))
            ? AddressKind.Public
            : AddressKind.Forbidden;
    }

    // NAT64, 6to4 and the old compatible form reach an IPv4 address by another name.
    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IPv6Loopback.Equals(address))
            return null;
        var bytes = address.GetAddressBytes();
        if (_nat64.Contains(address) || _compatible.Contains(address))
            return V4(bytes.AsSpan(12));
        return _sixToFour.Contains(address) ? V4(bytes.AsSpan(2)) : null;
    }

    private static IPAddress V4(ReadOnlySpan<byte> bytes)
    {
        var copy = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(copy, BinaryPrimitives.ReadUInt32BigEndian(bytes));
        return new IPAddress(copy);
    }

    private static IPNetwork[] Networks(params string[] networks) => [.. networks.Select(network => IPNetwork.Parse(network))];
}
