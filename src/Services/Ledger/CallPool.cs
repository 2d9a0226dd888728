namespace Sagas.Services.Ledger;

/// <summary>Runs claimed calls, as many requests at once as the gate allows, and keeps a few claimed ones ready where calls are so
/// quick that fetching the next from the database would leave places empty.</summary>
/// <param name="gate">Says how many requests may be in flight.</param>
/// <param name="batchSize">Most calls that go into one request.</param>
/// <param name="run">Makes a request.</param>
/// <param name="hasRoom">Told when more calls may be claimed.</param>
/// <param name="time">The clock by which calls wait for their slots.</param>
internal sealed class CallPool(TargetGate gate, int batchSize, Func<IReadOnlyList<LedgerCall>, Task> run, Action hasRoom, TimeProvider time)
    : IDisposable
{
    private const double QuickMilliseconds = 50;

    private readonly Lock _lock = new();
    private readonly Queue<LedgerCall> _ready = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private int _callsRunning;
    private bool _closed;
    private ITimer? _nextSlot;

    /// <summary>Requests in flight.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>How many calls to claim now; 0 until enough places are free to make a batch worth its round trip.</summary>
    public int Room()
    {
        lock (_lock)
        {
            var limit = gate.Limit;
            var capacity = (limit + Ahead(limit)) * batchSize;
            var held = _callsRunning + _ready.Count;
            return _closed || held > LowWater(limit) ? 0 : Math.Max(0, capacity - held);
        }
    }

    /// <summary>Takes claimed calls and starts what may start.</summary>
    public void Add(IEnumerable<LedgerCall> calls)
    {
        lock (_lock)
        {
            foreach (var call in calls)
                _ready.Enqueue(call);
        }

        Start();
    }

    /// <summary>Hands back the calls that have not started, when the gate has shut before them.</summary>
    public IReadOnlyList<LedgerCall> TakeBlocked()
    {
        lock (_lock)
            return _ready.Count > 0 && gate.Limit == 0 ? TakeReady() : [];
    }

    /// <summary>Starts nothing more.</summary>
    /// <returns>The calls that have not started.</returns>
    public IReadOnlyList<LedgerCall> Close()
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
    public void Dispose() => _nextSlot?.Dispose();

    // Calls that wait for their slot are no reason to leave places empty either.
    private int Ahead(int limit) => gate.HasSlots || (limit > 1 && gate.RecentMilliseconds is > 0 and < QuickMilliseconds) ? limit : 0;

    private int LowWater(int limit) => ((limit + (Ahead(limit) / 2)) * batchSize) - 1;

    private LedgerCall[] TakeReady()
    {
        var taken = _ready.ToArray();
        _ready.Clear();
        return taken;
    }

    private void Start()
    {
        while (true)
        {
            IReadOnlyList<LedgerCall> calls;
            lock (_lock)
            {
                if (_closed || _running >= gate.Limit || !_ready.TryPeek(out var first) || IsEarly(first))
                    return;
                calls = TakeRequest();
                _running++;
                _callsRunning += calls.Count;
            }

            _ = RunAsync(calls);
        }
    }

    private bool IsEarly(LedgerCall call)
    {
        var now = time.GetTimestamp();
        if (call.StartAt <= now)
            return false;
        _nextSlot ??= time.CreateTimer(_ => Start(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _nextSlot.Change(time.GetElapsedTime(now, call.StartAt), Timeout.InfiniteTimeSpan);
        return true;
    }

    // What may have happened is asked for or parked one by one, unless the target knows the call by its key.
    private List<LedgerCall> TakeRequest()
    {
        var calls = new List<LedgerCall> { _ready.Dequeue() };
        if (!IsPlain(calls[0]))
            return calls;
        while (calls.Count < batchSize && _ready.TryPeek(out var next) && IsPlain(next))
            calls.Add(_ready.Dequeue());
        return calls;
    }

    private static bool IsPlain(LedgerCall call) => call is { MayHaveHappened: false } or { Mode: LedgerMode.IdempotencyKey };

    private async Task RunAsync(IReadOnlyList<LedgerCall> calls)
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
                low = _callsRunning + _ready.Count <= LowWater(gate.Limit);
                if (_closed && _running == 0)
                    _idle.TrySetResult();
            }

            Start();
            if (low)
                hasRoom();
        }
    }
}
