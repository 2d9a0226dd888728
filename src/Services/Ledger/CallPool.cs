namespace Sagas.Services.Ledger;

/// <summary>Runs claimed calls, as many at once as the gate allows, and keeps a few claimed ones ready where calls are so
/// quick that fetching the next from the database would leave places empty.</summary>
internal sealed class CallPool(TargetGate gate, Func<LedgerCall, Task> run, Action hasRoom, TimeProvider time) : IDisposable
{
    private const double QuickMilliseconds = 50;

    private readonly Lock _lock = new();
    private readonly Queue<LedgerCall> _ready = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private bool _closed;
    private ITimer? _nextSlot;

    /// <summary>Calls in flight.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>How many calls to claim now; 0 until enough places are free to make a batch worth its round trip.</summary>
    public int Room()
    {
        lock (_lock)
        {
            var limit = gate.Limit;
            var capacity = limit + Ahead(limit);
            var held = _running + _ready.Count;
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

    private int LowWater(int limit) => limit - 1 + (Ahead(limit) / 2);

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
            LedgerCall? call;
            lock (_lock)
            {
                if (_closed || _running >= gate.Limit || !_ready.TryPeek(out call) || IsEarly(call))
                    return;
                _ready.Dequeue();
                _running++;
            }

            _ = RunAsync(call);
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

    private async Task RunAsync(LedgerCall call)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await run(call);
        }
        finally
        {
            bool low;
            lock (_lock)
            {
                _running--;
                low = _running + _ready.Count <= LowWater(gate.Limit);
                if (_closed && _running == 0)
                    _idle.TrySetResult();
            }

            Start();
            if (low)
                hasRoom();
        }
    }
}
