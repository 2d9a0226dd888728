using Microsoft.Extensions.DependencyInjection;

namespace Sagas.Services.Ledger;

/// <summary>
/// This process's part of what all processes together may call a target: moments at which it may start a call, reserved
/// in the database a fraction of a second ahead, its places among the calls at once, and the pause that the target asked
/// any process for. Slots that pass unused are lost, which is why only as many are reserved as calls are due.
/// </summary>
internal sealed class CallSlots(string target, CallLimit limit, TimeSpan lease, IServiceScopeFactory scopes, TimeProvider time)
{
    // What a configured rate is kept below: two calls that left just far enough apart may arrive a little closer.
    private const double Slack = 0.995;

    // Without a rate the database need not be asked for each claim.
    private const int ClaimsAtOnce = 4;

    private static readonly TimeSpan _unlimitedFor = TimeSpan.FromMilliseconds(200);

    private readonly Guid _process = Guid.NewGuid();
    private readonly Lock _lock = new();
    private SlotGrant _grant = SlotGrant.None;
    private long _grantedAt;
    private int _used;
    private long _askAt;
    private long _renewAt;
    private long _pausedUntil;
    private long _reportedEpoch = -1;
    private int _places = limit.AtOnce is null ? int.MaxValue : 0;

    /// <summary>Calls that this process may have in flight.</summary>
    public int Places => Volatile.Read(ref _places);

    /// <summary>Whether calls were due when the database was last asked.</summary>
    public bool AnythingDue => _grant.AnythingDue;

    /// <summary>How much longer the target wants no call.</summary>
    public TimeSpan Paused => Until(ref _pausedUntil);

    /// <summary>How long it makes no sense to ask for slots.</summary>
    public TimeSpan AskIn => Until(ref _askAt);

    /// <summary>How many calls to claim now.</summary>
    /// <param name="room">At most so many.</param>
    /// <param name="running">Calls in flight.</param>
    /// <param name="cancellation">Cancels; the slots may have been reserved all the same.</param>
    public async Task<int> TakeAsync(int room, int running, CancellationToken cancellation)
    {
        if (Remaining() is > 0 and var left && room > 0)
            return Math.Min(left, room);
        var renew = limit.AtOnce is not null && running > 0 && Until(ref _renewAt) == TimeSpan.Zero;
        if (!renew && (room <= 0 || AskIn > TimeSpan.Zero))
            return 0;

        var want = Math.Max(0, room) * (limit.PerSecond is null ? ClaimsAtOnce : 1);
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<SagasDbContext>();
        var grant = await SlotRows.TakeAsync(
            database, target, _process, want, limit.PerSecond * Slack, limit.AtOnce, running, lease, cancellation);
        Keep(grant);
        return Math.Min(Remaining(), Math.Max(0, room));
    }

    /// <summary>Gives claimed calls their slots, in order.</summary>
    public IReadOnlyList<LedgerCall> Assign(List<LedgerCall> calls)
    {
        lock (_lock)
        {
            for (var index = 0; index < calls.Count; index++, _used++)
                calls[index] = calls[index] with { StartAt = StartOf(_used), Epoch = _grant.Epoch };
        }

        return calls;
    }

    /// <summary>The target refused a call for now: no process calls it before the time that it said.</summary>
    /// <param name="call">The call.</param>
    /// <param name="pause">How long it asks to wait.</param>
    /// <param name="rate">Whether it refused because of the rate, and not because it is in trouble.</param>
    /// <param name="said">What it said, for people.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task RefusedAsync(LedgerCall call, TimeSpan pause, bool rate, string said, CancellationToken cancellation)
    {
        lock (_lock)
        {
            var until = time.GetTimestamp() + Ticks(pause);
            // The calls in flight are refused together: one of them speaks for all.
            var reported = call.Epoch <= _reportedEpoch && until - _pausedUntil < Ticks(pause / 2);
            _pausedUntil = Math.Max(_pausedUntil, until);
            if (_reportedEpoch < call.Epoch)
                _reportedEpoch = call.Epoch;
            if (reported)
                return;
            _grant = SlotGrant.None;
        }

        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<SagasDbContext>();
        await SlotRows.RefuseAsync(database, target, call.Epoch, pause, said, rate && limit.PerSecond is null, cancellation);
    }

    /// <summary>The target is gone: no process calls it until a person enables it.</summary>
    public async Task DisableAsync(string said, CancellationToken cancellation)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<SagasDbContext>();
        await SlotRows.DisableAsync(database, target, said, cancellation);
        lock (_lock)
            _grant = SlotGrant.None;
    }

    /// <summary>Gives back what this process holds.</summary>
    public async Task LeaveAsync(CancellationToken cancellation)
    {
        if (limit.AtOnce is null)
            return;
        await using var scope = scopes.CreateAsyncScope();
        await SlotRows.LeaveAsync(scope.ServiceProvider.GetRequiredService<SagasDbContext>(), target, _process, cancellation);
    }

    private void Keep(SlotGrant grant)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            // From when the answer is here, which is after the database looked at its clock: no call is early.
            (_grant, _grantedAt, _used) = (grant, now, 0);
            _askAt = now + Ticks(grant.AskIn);
            _renewAt = now + Ticks(lease / 5);
            if (grant.PausedFor > TimeSpan.Zero)
                _pausedUntil = Math.Max(_pausedUntil, now + Ticks(grant.PausedFor));
            if (limit.AtOnce is not null && grant.Places is { } places)
                Volatile.Write(ref _places, places);
        }
    }

    private int Remaining()
    {
        lock (_lock)
        {
            if (_grant.Spacing == TimeSpan.Zero)
                return time.GetElapsedTime(_grantedAt) < _unlimitedFor ? _grant.Slots - _used : 0;
            // Of the slots that have passed, only what could have been used by now is still good.
            while (_used < _grant.Slots && StartOf(_used) < time.GetTimestamp() - Ticks(_unlimitedFor))
                _used++;
            return _grant.Slots - _used;
        }
    }

    private long StartOf(int slot) =>
        _grant.Spacing == TimeSpan.Zero ? 0 : _grantedAt + Ticks(_grant.StartIn + (_grant.Spacing * slot));

    private TimeSpan Until(ref long timestamp)
    {
        var (until, now) = (Volatile.Read(ref timestamp), time.GetTimestamp());
        return until <= now ? TimeSpan.Zero : time.GetElapsedTime(now, until);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
