using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Sagas.LocalServers;

/// <summary>Stands between programs and Postgres, and sees its answers.</summary>
public sealed class AnswerProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly Task _accepting;
    private readonly Func<int, char, byte[], byte[]?> _intercept;

    /// <summary>Starts it on a free loopback port.</summary>
    /// <param name="postgres">Npgsql's connection string of the server.</param>
    /// <param name="intercept">
    /// Called for each answer with the number of the server's process, the answer's type and its body. Null: the answer is passed
    /// on; otherwise the program receives these bytes instead, and its connection is cut.
    /// </param>
    public AnswerProxy(string postgres, Func<int, char, byte[], byte[]?> intercept)
    {
        _intercept = intercept;
        _server = new(postgres);
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(postgres)
        {
            Host = IPAddress.Loopback.ToString(),
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;
        _accepting = AcceptAsync();
    }

    /// <summary>Connects through the proxy.</summary>
    public string ConnectionString { get; }

    /// <inheritdoc />
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
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
            {
                // Either side has closed its connection.
            }
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
            if (_intercept(backend, (char)header[0], body) is { } instead)
            {
                await client.WriteAsync(instead, _stop.Token);
                return;
            }

            await client.WriteAsync((byte[])[.. header, .. body], _stop.Token);
        }
    }
}
