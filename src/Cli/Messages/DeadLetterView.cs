using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Messages;

/// <summary>The dead letters of error queues, read repeatedly.</summary>
internal sealed class DeadLetterView(Terminal terminal, Uri uri, IReadOnlyList<string> errorQueues) : IAsyncDisposable
{
    // With --watch, messages are fetched again only when their number changes, or after this long: each look is a delivery,
    // which the broker counts.
    private static readonly TimeSpan _refreshInterval = TimeSpan.FromSeconds(30);

    private BrokerConnection? _broker;
    private IReadOnlyList<uint> _counts = [];
    private IReadOnlyList<DeadLetter> _letters = [];
    private long _fetchedAt;

    public async Task<IReadOnlyList<DeadLetter>> ReadAsync(int limit, CancellationToken cancellationToken)
    {
        if (_broker is { IsOpen: false })
            await DisposeAsync();
        _broker ??= await BrokerConnection.ConnectAsync(uri, cancellationToken);
        var queues = new DeadLetterQueues(_broker);
        var counts = await queues.CountAsync(errorQueues, cancellationToken);
        if (counts.SequenceEqual(_counts) && terminal.TimeProvider.GetElapsedTime(_fetchedAt) < _refreshInterval)
            return _letters;

        _letters = await queues.PeekAsync(errorQueues, limit, cancellationToken);
        _counts = counts;
        _fetchedAt = terminal.TimeProvider.GetTimestamp();
        return _letters;
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
            await _broker.DisposeAsync();
        _broker = null;
    }
}
