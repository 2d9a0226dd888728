using System.Net.Sockets;

namespace Sagas.IntegrationTests.LocalServers;

internal static class Ports
{
    /// <summary>Whether something listens at a port of the loopback interface.</summary>
    public static bool Listens(int port)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
