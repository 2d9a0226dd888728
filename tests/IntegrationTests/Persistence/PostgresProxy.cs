using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>What a client receives after a commit that the server has made.</summary>
public enum LostAnswer
{
    /// <summary>Nothing: the connection is gone.</summary>
    ConnectionCut,

    /// <summary>That the server shuts down, with the severity that ends a session.</summary>
    ServerShutsDown,
}

/// <summary>A proxy to Postgres that loses the response to one COMMIT.</summary>
internal sealed class PostgresProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly Task _accepting;
    private (int Backend, LostAnswer Answer)? _armed;

    public PostgresProxy(string connectionString)
    {
        _server = new NpgsqlConnectionStringBuilder(connectionString);
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;
        _accepting = AcceptAsync();
    }

    public string ConnectionString { get; }

    /// <summary>How many responses were lost.</summary>
    public int Lost { get; private set; }

    /// <summary>Loses the response to the next commit on a server process's connection.</summary>
    public void LoseAnswerToCommit(int backend, LostAnswer answer) => _armed = (backend, answer);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(ForwardAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using var server = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        using (client)
        {
            try
            {
                await server.ConnectAsync(_server.Host!, _server.Port, _stop.Token);
                await Task.WhenAny(
                    client.GetStream().CopyToAsync(server.GetStream(), _stop.Token),
                    AnswerAsync(new BufferedStream(server.GetStream()), client.GetStream())
                );
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException) { }
        }
    }

    // Answers are a type, a length that counts itself, and the rest.
    private async Task AnswerAsync(Stream server, NetworkStream client)
    {
        var backend = 0;
        var header = new byte[5];
        while (true)
        {
            await server.ReadExactlyAsync(header, _stop.Token);
            var body = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1)) - 4];
            await server.ReadExactlyAsync(body, _stop.Token);
            if (header[0] == 'K')
                backend = BinaryPrimitives.ReadInt32BigEndian(body);
            if (header[0] == 'C' && body.AsSpan().SequenceEqual("COMMIT\0"u8) && _armed is { } armed && armed.Backend == backend)
            {
                _armed = null;
                Lost++;
                if (armed.Answer == LostAnswer.ServerShutsDown)
                    await client.WriteAsync(ShutDown(), _stop.Token);
                return;
            }

            await client.WriteAsync((byte[])[.. header, .. body], _stop.Token);
        }
    }

    private static byte[] ShutDown()
    {
        var fields = Encoding.ASCII.GetBytes("SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0");
        var message = new byte[5 + fields.Length];
        message[0] = (byte)'E';
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), fields.Length + 4);
        fields.CopyTo(message, 5);
        return message;
    }
}
