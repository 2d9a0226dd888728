using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>Stands between programs and Postgres, and counts how often these wait for it.</summary>
internal sealed class RoundTripProxy : IAsyncDisposable
{
    private const char ReadyForQuery = 'Z';

    private readonly AnswerProxy _proxy;
    private long _roundTrips;

    public RoundTripProxy(string postgres) => _proxy = new(postgres, Count);

    /// <summary>Connects through the proxy.</summary>
    public string ConnectionString => _proxy.ConnectionString;

    /// <summary>How often the server was ready for the next statements.</summary>
    public long RoundTrips => Interlocked.Read(ref _roundTrips);

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();

    private byte[]? Count(int backend, char type, byte[] body)
    {
        if (type == ReadyForQuery)
            Interlocked.Increment(ref _roundTrips);
        return null;
    }
}
