using Microsoft.Extensions.Time.Testing;

namespace Sagas.TestSupport;

/// <summary>Advances a fake clock while other code uses it.</summary>
public static class FakeTimeProviderExtensions
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(1);

    /// <summary>Moves the clock step by step until a condition holds; timers that are due have a moment to run.</summary>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="what">What is awaited, for the message of a failure.</param>
    /// <param name="condition">Whether it holds.</param>
    /// <param name="step">How far the clock moves at once.</param>
    public static Task AdvanceUntilAsync(this FakeTimeProvider timeProvider, string what, Func<bool> condition, TimeSpan step) =>
        Eventually.MatchesAsync(
            what,
            async () =>
            {
                if (condition())
                    return true;
                await timeProvider.StepAsync(step);
                return false;
            },
            holds => holds,
            maxPause: _pause
        );

    /// <summary>Moves the clock.</summary>
    /// <remarks>Outside the test's synchronization context: tasks that were begun outside it too run until they wait for the
    /// clock again before this returns.</remarks>
    public static Task StepAsync(this FakeTimeProvider timeProvider, TimeSpan step) => Task.Run(() => timeProvider.Advance(step));
}
