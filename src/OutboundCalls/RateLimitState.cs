namespace Sagas.OutboundCalls;

/// <summary>What all processes know of a target's limit: a row of table <c>rate_limit</c>. Pure: the store reads and writes it,
/// and the database's clock is passed in.</summary>
internal sealed record RateLimitState
{
    // How much is granted at a time, how far ahead, and the most of a missed moment that may be caught up on.
    private const double GrantSeconds = 0.2;
    private const double CatchUpSeconds = 0.05;
    private static readonly TimeSpan _horizon = TimeSpan.FromSeconds(0.25);

    // A learned rate grows between two requests, a configured one does not.
    private static readonly TimeSpan _maxAskInLearned = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan _maxAskIn = TimeSpan.FromSeconds(1);

    // Without calls due for longer than this, time does not count for what the target was measured to accept.
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(0.5);

    /// <summary>Counts writes: a write is dropped when another came first.</summary>
    public long Version { get; init; }

    /// <summary>The rate when permits were last granted; null: there is no limit.</summary>
    public double? PerSecond { get; init; }

    /// <summary>The learned rate after its last decrease; null: never throttled.</summary>
    public double? LearnedPerSecond { get; init; }

    /// <summary>When the learned rate begins to grow, postponed while it is not used up.</summary>
    public DateTimeOffset GrowsAt { get; init; }

    /// <summary>Counts decreases of the learned rate.</summary>
    public long Epoch { get; init; }

    /// <summary>When the last decrease was, postponed while nothing was due.</summary>
    public DateTimeOffset EpochAt { get; init; }

    /// <summary>Permits granted since <see cref="EpochAt"/>.</summary>
    public long Granted { get; init; }

    /// <summary>The first moment that no process has a permit for.</summary>
    public DateTimeOffset NextPermitAt { get; init; }

    /// <summary>No process calls before this; null: no pause was requested.</summary>
    public DateTimeOffset? PausedUntil { get; init; }

    /// <summary>What the target said when it asked for the pause.</summary>
    public string? PausedReason { get; init; }

    /// <summary>Reported 429s and 503s, at most one per process and pause.</summary>
    public long Throttled { get; init; }

    /// <summary>How often operators have ended a pause.</summary>
    public long Resumed { get; init; }

    /// <summary>The target answered that it is gone.</summary>
    public bool IsDisabled { get; init; }

    /// <summary>Whether calls must wait regardless of the rate.</summary>
    public bool IsBlocked(DateTimeOffset now) => IsDisabled || PausedUntil > now;

    /// <summary>Grants permits.</summary>
    /// <param name="now">The database's clock.</param>
    /// <param name="wanted">At most this many.</param>
    /// <param name="configured">The configured rate; null: it is learned.</param>
    /// <returns>The grant, and the state to write; null: nothing changes.</returns>
    public (PermitGrant Grant, RateLimitState? Next) Grant(DateTimeOffset now, int wanted, double? configured)
    {
        var maxAskIn = configured is null ? _maxAskInLearned : _maxAskIn;
        if (RateAt(now, configured) is { } current && FirstFree(current) - now is var ahead && ahead > _horizon)
            return (new(0, default, default, Shorter(ahead - _horizon, maxAskIn), Epoch), null);

        // A rate that is not used up is not proved, and time in which nothing was due proves nothing.
        var idle = now - (RateAt(now, configured) is { } used ? FirstFree(used) : NextPermitAt);
        var state = this with { Version = Version + 1 };
        if (idle > TimeSpan.Zero)
            state = state with { GrowsAt = GrowsAt + idle };
        if (idle > _idle)
            state = state with { EpochAt = EpochAt + idle };
        if (state.RateAt(now, configured) is not { } rate)
            return (new(wanted, default, default, default, Epoch), state with { NextPermitAt = now, Granted = Granted + wanted });

        var first = Later(state.FirstFree(rate), now - Seconds(Math.Floor(rate * CatchUpSeconds) / rate));
        var count = (int)Math.Min(wanted, Math.Max(1, Math.Ceiling(rate * GrantSeconds)));
        var next = first + Seconds(count / rate);
        var askIn = Shorter(Longer(next - now - _horizon, TimeSpan.Zero), maxAskIn);
        return (
            new(count, first - now, Seconds(1 / rate), askIn, Epoch),
            state with
            {
                PerSecond = rate,
                NextPermitAt = next,
                Granted = Granted + count,
            }
        );
    }

    /// <summary>The target asked for a pause.</summary>
    /// <param name="now">The database's clock.</param>
    /// <param name="epoch">The epoch in which the call started: one from before the last decrease decreases nothing.</param>
    /// <param name="pause">How long.</param>
    /// <param name="reason">What the target said.</param>
    /// <param name="learn">Whether the rate is learned and was exceeded.</param>
    public RateLimitState Pause(DateTimeOffset now, long epoch, TimeSpan pause, string reason, bool learn)
    {
        var state = this with { Version = Version + 1, Throttled = Throttled + 1 };
        if (PausedUntil is null || PausedUntil <= now + pause)
            state = state with { PausedUntil = now + pause, PausedReason = reason };
        state = state with { NextPermitAt = Later(NextPermitAt, state.PausedUntil!.Value) };
        if (!learn || epoch != Epoch)
            return state;
        var rate = LearnedRate.Decreased(RateAt(now, configured: null), Granted, now - EpochAt, pause);
        return state with
        {
            PerSecond = rate,
            LearnedPerSecond = rate,
            Epoch = Epoch + 1,
            EpochAt = now,
            GrowsAt = state.PausedUntil!.Value + LearnedRate.Hold(rate),
            Granted = 0,
        };
    }

    private double? RateAt(DateTimeOffset now, double? configured) =>
        configured ?? (LearnedPerSecond is { } learned ? LearnedRate.Grown(learned, now - GrowsAt) : null);

    // Earlier than was written where the rate has grown since.
    private DateTimeOffset FirstFree(double rate)
    {
        var free = NextPermitAt + Seconds(PerSecond is { } before ? Math.Min((1 / rate) - (1 / before), 0) : 0);
        return PausedUntil is { } paused ? Later(free, paused) : free;
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
