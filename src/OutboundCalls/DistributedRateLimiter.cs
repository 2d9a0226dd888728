using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.OutboundCalls;

/// <summary>
/// This process's part of what all processes together may send to a target: permits for moments a fraction of a second ahead, a
/// share of the calls at once, and the pause that the target asked any process for. Permits that expire unused are lost, so no
/// more are taken than calls are due.
/// </summary>
internal sealed class DistributedRateLimiter(
    string target,
    CallRateLimit limit,
    TimeSpan lease,
    IServiceScopeFactory scopes,
    TargetPause pause,
    TimeProvider timeProvider
)
{
    // Margin below a configured rate: two calls that start just far enough apart may arrive a little closer together.
    private const double RateMargin = 0.995;

    // Without a rate the database need not be asked for each claim.
    private const int ClaimsPerGrant = 4;

    private static readonly TimeSpan _grantLifetime = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _noShareDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _maxAskIn = TimeSpan.FromSeconds(1);

    private readonly Guid _process = Guid.NewGuid();
    private readonly Lock _lock = new();
    private PermitGrant _grant;
    private long _grantedAt;
    private int _used;
    private long _askAt;
    private long _renewAt;
    private long _reportedEpoch = -1;
    private int _share = limit.MaxConcurrency is null ? int.MaxValue : 0;
    private bool _anythingDue = true;

    /// <summary>Calls that this process may have in flight.</summary>
    public int Share => Volatile.Read(ref _share);

    /// <summary>Whether calls were due when the database was last asked.</summary>
    public bool AnythingDue => Volatile.Read(ref _anythingDue);

    /// <summary>How long asking for permits is pointless.</summary>
    public TimeSpan AskIn => Until(ref _askAt);

    /// <summary>Asking for permits may no longer be pointless.</summary>
    public void AskNow() => Volatile.Write(ref _askAt, 0);

    /// <summary>Takes permits.</summary>
    /// <param name="room">At most this many.</param>
    /// <param name="running">Calls in flight.</param>
    /// <param name="cancellationToken">Cancels; permits may have been taken all the same.</param>
    /// <returns>How many calls to claim now.</returns>
    public async Task<int> TakeAsync(int room, int running, CancellationToken cancellationToken)
    {
        if (Remaining() is > 0 and var left && room > 0)
            return Math.Min(left, room);
        var renew = limit.MaxConcurrency is not null && running > 0 && Until(ref _renewAt) == TimeSpan.Zero;
        if (!renew && (room <= 0 || AskIn > TimeSpan.Zero))
            return 0;

        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<DbContext>();
        var want = Math.Max(0, room) * (limit.PerSecond is null ? ClaimsPerGrant : 1);
        await TakeAsync(database, want, running, cancellationToken);
        return Math.Min(Remaining(), Math.Max(0, room));
    }

    /// <summary>Gives claimed calls their permits, in order.</summary>
    public IReadOnlyList<OutboundCall> Assign(List<OutboundCall> calls)
    {
        lock (_lock)
        {
            for (var index = 0; index < calls.Count; index++, _used++)
                calls[index] = calls[index] with { StartAt = StartOf(_used), Epoch = _grant.Epoch };
        }

        return calls;
    }

    /// <summary>The target throttled a call: no process calls it before the pause is over.</summary>
    /// <param name="call">The call.</param>
    /// <param name="asked">The pause that it asks for.</param>
    /// <param name="isRate">Whether the rate is the reason, not trouble of the target's.</param>
    /// <param name="reason">What it said, for people.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task PauseAsync(
        OutboundCall call,
        TimeSpan asked,
        bool isRate,
        string reason,
        CancellationToken cancellationToken
    )
    {
        lock (_lock)
        {
            // Calls in flight together are throttled together: one of them reports it.
            var reported = call.Epoch <= _reportedEpoch && asked - pause.Remaining < asked / 2;
            pause.Extend(asked);
            _reportedEpoch = Math.Max(_reportedEpoch, call.Epoch);
            if (reported)
                return;
            _grant = default;
        }

        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<DbContext>();
        RateLimitState next;
        do
        {
            var (state, now, _) = await PermitStore.ReadAsync(database, target, 0, cancellationToken);
            pause.Share(state.Resumed);
            next = state.Pause(now, call.Epoch, asked, reason, learn: isRate && limit.PerSecond is null);
        } while (!await PermitStore.TryWriteAsync(database, target, next, cancellationToken));
    }

    /// <summary>The target is gone: no process calls it until an operator enables it.</summary>
    public async Task DisableAsync(string reason, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await PermitStore.DisableAsync(scope.ServiceProvider.GetRequiredService<DbContext>(), target, reason, cancellationToken);
        lock (_lock)
            _grant = default;
    }

    /// <summary>Returns this process's share of the calls at once.</summary>
    public async Task ReturnAsync(CancellationToken cancellationToken)
    {
        if (limit.MaxConcurrency is null)
            return;
        await using var scope = scopes.CreateAsyncScope();
        await PermitStore.ReturnAsync(scope.ServiceProvider.GetRequiredService<DbContext>(), target, _process, cancellationToken);
    }

    private async Task TakeAsync(DbContext database, int want, int running, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (state, now, due) = await PermitStore.ReadAsync(database, target, want, cancellationToken);
            // From the arrival of the response, which is after the database read its clock: no call is early.
            var readAt = timeProvider.GetTimestamp();
            if (want > 0)
                Volatile.Write(ref _anythingDue, due > 0);
            if (state.IsBlocked(now))
            {
                var paused = state.PausedUntil - now ?? TimeSpan.Zero;
                pause.Share(state.Resumed);
                Keep(default, readAt, state.IsDisabled || paused > _maxAskIn ? _maxAskIn : paused, paused);
                return;
            }

            if (limit.MaxConcurrency is { } max && (due > 0 || running > 0))
            {
                var share = await PermitStore.ShareAsync(database, target, _process, max, running, lease, cancellationToken);
                Volatile.Write(ref _share, share);
                if (Share == 0 || due == 0)
                {
                    Keep(default, readAt, _noShareDelay, TimeSpan.Zero);
                    return;
                }
            }

            if (due == 0)
            {
                Keep(default, readAt, TimeSpan.Zero, TimeSpan.Zero);
                return;
            }

            var (grant, next) = state.Grant(now, due, limit.PerSecond * RateMargin);
            if (next is not null && !await PermitStore.TryWriteAsync(database, target, next, cancellationToken))
                continue;
            Keep(grant, readAt, grant.AskIn, TimeSpan.Zero);
            return;
        }
    }

    private void Keep(PermitGrant grant, long now, TimeSpan askIn, TimeSpan paused)
    {
        lock (_lock)
        {
            (_grant, _grantedAt, _used) = (grant, now, 0);
            _askAt = now + Ticks(askIn);
            _renewAt = now + Ticks(lease / 5);
            if (paused > TimeSpan.Zero)
                pause.Extend(paused);
        }
    }

    private int Remaining()
    {
        lock (_lock)
        {
            if (_grant.Spacing == TimeSpan.Zero)
                return timeProvider.GetElapsedTime(_grantedAt) < _grantLifetime ? _grant.Count - _used : 0;
            // Permits in the past are valid for a moment only.
            while (_used < _grant.Count && StartOf(_used) < timeProvider.GetTimestamp() - Ticks(_grantLifetime))
                _used++;
            return _grant.Count - _used;
        }
    }

    private long StartOf(int permit) =>
        _grant.Spacing == TimeSpan.Zero ? 0 : _grantedAt + Ticks(_grant.StartIn + (_grant.Spacing * permit));

    private TimeSpan Until(ref long timestamp)
    {
        var (until, now) = (Volatile.Read(ref timestamp), timeProvider.GetTimestamp());
        return until <= now ? TimeSpan.Zero : timeProvider.GetElapsedTime(now, until);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * timeProvider.TimestampFrequency);
}
