using Microsoft.Extensions.Time.Testing;

namespace Sagas.TestSupport;

/// <summary>A fake clock that counts timers, so that a test moves it only once the product waits for it.</summary>
public sealed class TimerCountingTimeProvider : FakeTimeProvider
{
    private int _timers;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Interlocked.Increment(ref _timers);
        return timer;
    }

    /// <summary>Awaits that this many timers have been created in all.</summary>
    public Task TimersMadeAsync(int count) =>
        Eventually.MatchesAsync(
            $"{count} timers are made",
            () => Task.FromResult(Volatile.Read(ref _timers)),
            made => made >= count
        );
}
