using System.Net;
using System.Net.Sockets;

namespace Sagas.OutboundCalls;

/// <summary>
/// Connects only to addresses that may be connected to. The name is resolved, the addresses checked, and the connection
/// made to a checked address: an answer of the name server that changes in between changes nothing.
/// </summary>
/// <param name="allowedHosts">Hosts that may be on a private network; one given as an address may be anywhere.</param>
/// <param name="resolve">Resolves names; null: as the system does.</param>
public sealed class SafeConnections(
    IEnumerable<string> allowedHosts,
    Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null
)
{
    private readonly HashSet<string> _allowed = new(allowedHosts, StringComparer.OrdinalIgnoreCase);

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;

    /// <summary>Sets up a handler: no connection past the check, by a proxy or by a redirect.</summary>
    /// <param name="handler">The handler.</param>
    public void Guard(SocketsHttpHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        handler.AllowAutoRedirect = false;
        handler.UseProxy = false;
        handler.ConnectCallback = async (context, cancellationToken) =>
            await ConnectAsync(context.DnsEndPoint, cancellationToken);
    }

    /// <summary>Connects.</summary>
    /// <param name="endPoint">Where to.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="AddressNotAllowedException">None of the host's addresses may be connected to.</exception>
    /// <exception cref="SocketException">The name does not resolve, or the connection fails.</exception>
    public async Task<Stream> ConnectAsync(DnsEndPoint endPoint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        var addresses = IPAddress.TryParse(endPoint.Host.Trim('[', ']'), out var literal)
            ? [literal]
            : await _resolve(endPoint.Host, cancellationToken);
        var safe = Array.FindAll(addresses, address => MayConnect(endPoint.Host, address));
        if (safe.Length == 0)
            throw new AddressNotAllowedException();
        for (var index = 0; ; index++)
        {
            var socket = new Socket(safe[index].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(safe[index], endPoint.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (index < safe.Length - 1)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    /// <summary>Whether a host may be connected to at an address.</summary>
    /// <param name="host">The host, as the URL names it.</param>
    /// <param name="address">One of its addresses.</param>
    public bool MayConnect(string host, IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(address);
        return AddressKinds.KindOf(address) switch
        {
            AddressKind.Public => true,
            AddressKind.Private => _allowed.Contains(host),
            // Only where the configuration names this very address.
            _ => _allowed.Contains(host) && IPAddress.TryParse(host.Trim('[', ']'), out _),
        };
    }
}
