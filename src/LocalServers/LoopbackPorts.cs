using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Sagas.LocalServers;

/// <summary>Free ports of the loopback address.</summary>
public static class LoopbackPorts
{
    // Below the ports from which systems number outgoing connections (32768 on Linux, 49152 on macOS): otherwise, while
    // a server is stopped, a client that keeps trying to reach it may be given the very port, and connect to itself.
    private const int Lowest = 20_000;
    private const int Highest = 32_000;

    /// <summary>Picks free ports. Another process may take one before it is used, so be ready to pick again.</summary>
    public static int[] Pick(int count)
    {
        var picked = new HashSet<int>();
        while (picked.Count < count)
        {
            var port = RandomNumberGenerator.GetInt32(Lowest, Highest);
            if (!picked.Contains(port) && IsFree(port))
                picked.Add(port);
        }

        return [.. picked];
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
