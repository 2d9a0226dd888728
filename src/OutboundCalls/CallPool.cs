namespace Sagas.OutboundCalls;

/// <summary>Runs claimed calls, as many requests at once as the throttle allows. Where calls are so short that fetching the next
/// from the database would leave capacity unused, it keeps a few claimed ones ready.</summary>
/// <param name="throttle">Says how many requests may be in flight.</param>
/// <param name="batchSize">Most calls that go into one request.</param>
/// <param name="run">Makes a request.</param>
/// <param name="hasRoom">Called when more calls may be claimed.</param>
/// <param name="timeProvider">The clock by which calls wait for their permits.</param>
internal sealed class CallPool(
    CallThrottle throttle,
    int batchSize,
    Func<IReadOnlyList<OutboundCall>, Task> run,
    Action hasRoom,
    TimeProvider timeProvider
) : IDisposable
{
    private const double QuickMilliseconds = 50;

    private readonly Lock _lock = new();
    private readonly Queue<OutboundCall> _ready = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private int _callsRunning;
    private bool _closed;
    private ITimer? _nextStart;

    /// <summary>Requests in flight.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>How many calls to claim now; 0 until there is room for a batch worth its round trip.</summary>
    public int Room()
    {
        lock (_lock)
        {
            var limit = throttle.Limit;
            var capacity = (limit + Ahead(limit)) * batchSize;
            var held = _callsRunning + _ready.Count;
            return _closed || held > LowWater(limit) ? 0 : Math.Max(0, capacity - held);
        }
    }

    /// <summary>Takes claimed calls and starts what may start.</summary>
    public void Add(IEnumerable<OutboundCall> calls)
    {
        lock (_lock)
        {
            foreach (var call in calls)
                _ready.Enqueue(call);
        }

        Start();
    }

    /// <summary>Takes back the calls that have not started, when none may start now.</summary>
    public IReadOnlyList<OutboundCall> TakeBlocked()
    {
        lock (_lock)
            return _ready.Count > 0 && throttle.Limit == 0 ? TakeReady() : [];
    }

    /// <summary>Starts nothing more.</summary>
    /// <returns>The calls that have not started.</returns>
    public IReadOnlyList<OutboundCall> Close()
    {
        lock (_lock)
        {
            _closed = true;
            if (_running == 0)
                _idle.TrySetResult();
            return TakeReady();
        }
    }

    /// <summary>Completes when, after <see cref="Close"/>, no call is in flight.</summary>
    public Task IdleAsync() => _idle.Task;

    /// <inheritdoc />
    public void Dispose() => _nextStart?.Dispose();

    // Calls that wait for their permit must not leave capacity unused either.
    private int Ahead(int limit) =>
        throttle.IsRateLimited || (limit > 1 && throttle.RecentMilliseconds is > 0 and < QuickMilliseconds) ? limit : 0;

    private int LowWater(int limit) => ((limit + (Ahead(limit) / 2)) * batchSize) - 1;

    private OutboundCall[] TakeReady()
    {
        var taken = _ready.ToArray();
        _ready.Clear();
        return taken;
    }

    private void Start()
    {
        while (true)
        {
            IReadOnlyList<OutboundCall> calls;
            lock (_lock)
            {
                if (_closed || _running >= throttle.Limit || !_ready.TryPeek(out var first) || IsEarly(first))
                    return;
                calls = TakeRequest();
                _running++;
                _callsRunning += calls.Count;
            }

            _ = RunAsync(calls);
        }
    }

    private bool IsEarly(OutboundCall call)
    {
        var now = timeProvider.GetTimestamp();
        if (call.StartAt <= now)
            return false;
        _nextStart ??= timeProvider.CreateTimer(_ => Start(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _nextStart.Change(timeProvider.GetElapsedTime(now, call.StartAt), Timeout.InfiniteTimeSpan);
        return true;
    }

    // Calls with an unknown outcome are looked up or parked one by one, unless the target knows them by their keys.
    private List<OutboundCall> TakeRequest()
    {
        var calls = new List<OutboundCall> { _ready.Dequeue() };
        if (!IsPlain(calls[0]))
            return calls;
        while (calls.Count < batchSize && _ready.TryPeek(out var next) && IsPlain(next))
            calls.Add(_ready.Dequeue());
        return calls;
    }

    private static bool IsPlain(OutboundCall call) => call is { OutcomeUnknown: false } or { Mode: CallMode.IdempotencyKey };

    private async Task RunAsync(IReadOnlyList<OutboundCall> calls)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await run(calls);
        }
        finally
        {
            bool low;
            lock (_lock)
            {
                _running--;
                _callsRunning -= calls.Count;
                low = _callsRunning + _ready.Count <= LowWater(throttle.Limit);
                if (_closed && _running == 0)
                    _idle.TrySetResult();
            }

            Start();
            if (low)
                hasRoom();
        }
    }
}
