using Xunit.Sdk;

namespace Sagas.TestSupport;

/// <summary>Raised by what a test observes in its own process: a wait ends with the event, not with the next look.</summary>
public sealed class TestSignal
{
    private TaskCompletionSource _next = Create();

    /// <summary>Lets everything that waits look again.</summary>
    public void Raise() => Interlocked.Exchange(ref _next, Create()).SetResult();

    /// <summary>Awaits that a value, which changes only before the signal is raised, is the expected one.</summary>
    /// <param name="what">What is awaited, for the message of a failure.</param>
    /// <param name="expected">The value.</param>
    /// <param name="look">Reads the value.</param>
    /// <exception cref="XunitException"><see cref="Eventually.Timeout"/> ended; the message has the last value.</exception>
    public Task EqualAsync<T>(string what, T expected, Func<T> look) =>
        MatchesAsync($"{what}: {expected}", look, value => EqualityComparer<T>.Default.Equals(expected, value));

    /// <inheritdoc cref="EqualAsync"/>
    /// <param name="what">What is awaited, for the message of a failure.</param>
    /// <param name="look">Reads the value.</param>
    /// <param name="matches">Whether the value is the awaited one.</param>
    public async Task MatchesAsync<T>(string what, Func<T> look, Func<T, bool> matches)
    {
        var timeout = Eventually.Cancellation();
        while (true)
        {
            var next = Volatile.Read(ref _next).Task;
            var value = look();
            if (matches(value))
                return;
            try
            {
                await next.WaitAsync(timeout);
            }
            catch (OperationCanceledException e)
            {
                throw new XunitException($"Awaited for {Eventually.Timeout.TotalSeconds:0} s: {what}. Last seen: {value}.", e);
            }
        }
    }

    private static TaskCompletionSource Create() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
