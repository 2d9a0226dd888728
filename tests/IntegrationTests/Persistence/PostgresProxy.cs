using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Sagas.LocalServers;

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
    private readonly AnswerProxy _proxy;
    private readonly ConcurrentDictionary<int, bool> _inserted = new();
    private (int Backend, LostAnswer Answer)? _armed;
    private volatile bool _losesNextInsert;

    public PostgresProxy(string connectionString) => _proxy = new(connectionString, Lose);

    public string ConnectionString => _proxy.ConnectionString;

    /// <summary>How many responses were lost.</summary>
    public int Lost { get; private set; }

    /// <summary>Loses the response to the next commit on a server process's connection.</summary>
    public void LoseAnswerToCommit(int backend, LostAnswer answer) => _armed = (backend, answer);

    /// <summary>Cuts the connection of the next statements that insert and commit without a COMMIT, once they have.</summary>
    public void LoseAnswerToInsert() => _losesNextInsert = true;

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();

    private byte[]? Lose(int backend, char type, byte[] body)
    {
        if (type == 'Z')
            return LoseInsert(backend, isIdle: body[0] == 'I');
        if (type == 'C' && body.AsSpan().StartsWith("INSERT"u8))
            _inserted[backend] = true;
        if (type != 'C' || !body.AsSpan().SequenceEqual("COMMIT\0"u8) || _armed is not { } armed || armed.Backend != backend)
            return null;
        _armed = null;
        Lost++;
        return armed.Answer == LostAnswer.ServerShutsDown ? ShutDown() : [];
    }

    private byte[]? LoseInsert(int backend, bool isIdle)
    {
        if (!_inserted.TryRemove(backend, out _) || !isIdle || !_losesNextInsert)
            return null;
        _losesNextInsert = false;
        Lost++;
        return [];
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
