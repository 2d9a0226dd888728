namespace Sagas.LocalServers;

/// <summary>A private server could not be started; the message ends with the end of the server's log.</summary>
/// <param name="message">What happened.</param>
/// <param name="portTaken">Whether the server found one of its ports taken, so that other ports may work.</param>
public sealed class ServerStartException(string message, bool portTaken) : Exception(message)
{
    /// <summary>Whether the server found one of its ports taken, so that other ports may work.</summary>
    public bool PortTaken { get; } = portTaken;
}
