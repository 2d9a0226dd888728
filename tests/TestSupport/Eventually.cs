using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Npgsql;
using RabbitMQ.Client.Exceptions;
using Xunit.Sdk;

namespace Sagas.TestSupport;

/// <summary>Awaits what other tasks, processes and servers do.</summary>
/// <remarks>
/// A look that fails because a server is unavailable counts as "not yet": tests restart servers. Any other exception
/// ends the wait at once.
/// </remarks>
public static class Eventually
{
    private static readonly TimeSpan _minPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _maxPause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a test waits for a condition. Many times what a busy machine needs: only a defect reaches it.</summary>
    public static TimeSpan Timeout { get; } = TimeSpan.FromMinutes(3);

    /// <summary>A token that is cancelled after <see cref="Timeout"/>.</summary>
    public static CancellationToken Cancellation() => new CancellationTokenSource(Timeout).Token;

    /// <summary>Awaits that a condition holds.</summary>
    public static Task TrueAsync(string what, Func<bool> condition, TimeSpan? timeout = null) =>
        TrueAsync(what, () => Task.FromResult(condition()), timeout);

    /// <inheritdoc cref="TrueAsync(string, Func{bool}, TimeSpan?)"/>
    public static Task TrueAsync(string what, Func<Task<bool>> condition, TimeSpan? timeout = null) =>
        MatchesAsync(what, condition, holds => holds, timeout);

    /// <summary>Awaits that a value is the expected one.</summary>
    public static Task EqualAsync<T>(
        T expected,
        Func<Task<T>> look,
        TimeSpan? timeout = null,
        [CallerArgumentExpression(nameof(look))] string what = ""
    ) => MatchesAsync($"{what} is {expected}", look, value => EqualityComparer<T>.Default.Equals(expected, value), timeout);

    /// <inheritdoc cref="EqualAsync{T}(T, Func{Task{T}}, TimeSpan?, string)"/>
    public static Task EqualAsync<T>(
        T expected,
        Func<T> look,
        TimeSpan? timeout = null,
        [CallerArgumentExpression(nameof(look))] string what = ""
    ) => EqualAsync(expected, () => Task.FromResult(look()), timeout, what);

    /// <summary>Awaits that a value matches, and returns it.</summary>
    /// <param name="what">What is awaited, for the message of a failure.</param>
    /// <param name="look">Reads the value.</param>
    /// <param name="matches">Whether the value is the awaited one.</param>
    /// <param name="timeout">How long; <see cref="Timeout"/> where not given.</param>
    /// <param name="maxPause">The longest pause between two looks, for a look that costs nothing.</param>
    /// <exception cref="XunitException">The timeout ended; the message has the condition and the last value.</exception>
    public static async Task<T> MatchesAsync<T>(
        string what,
        Func<Task<T>> look,
        Func<T, bool> matches,
        TimeSpan? timeout = null,
        TimeSpan? maxPause = null
    )
    {
        var started = Stopwatch.GetTimestamp();
        var longest = maxPause ?? _maxPause;
        var pause = longest < _minPause ? longest : _minPause;
        var lastSeen = "nothing";
        while (true)
        {
            try
            {
                var value = await look();
                if (matches(value))
                    return value;
                lastSeen = Describe(value);
            }
            catch (Exception e) when (IsUnavailable(e))
            {
                lastSeen = $"{e.GetType().Name}: {e.Message}";
            }

            await PauseAsync(what, lastSeen, started, timeout);
        }

        async Task PauseAsync(string awaited, string seen, long since, TimeSpan? limit)
        {
            if (Stopwatch.GetElapsedTime(since) > (limit ?? Timeout))
                throw new XunitException($"Awaited for {(limit ?? Timeout).TotalSeconds:0} s: {awaited}. Last seen: {seen}.");
            await Task.Delay(pause);
            pause = pause * 2 < longest ? pause * 2 : longest;
        }
    }

    /// <summary>Awaits that assertions pass. Times out with the last failure.</summary>
    public static async Task PassesAsync(string what, Func<Task> assertions, TimeSpan? timeout = null)
    {
        await MatchesAsync(
            what,
            async () =>
            {
                try
                {
                    await assertions();
                    return "";
                }
                catch (XunitException e)
                {
                    return e.Message;
                }
            },
            failure => failure.Length == 0,
            timeout
        );
    }

    private static string Describe<T>(T value) =>
        value is System.Collections.IEnumerable and not string
            ? $"[{string.Join(", ", ((System.Collections.IEnumerable)value).Cast<object?>().Take(20))}]"
            : $"{value}";

    private static bool IsUnavailable(Exception e) =>
        e
            is NpgsqlException { IsTransient: true }
                or IOException
                or SocketException
                or HttpRequestException
                or TimeoutException
                or OperationCanceledException { InnerException: TimeoutException }
                or BrokerUnreachableException
                or AlreadyClosedException
                or OperationInterruptedException { ShutdownReason.ReplyCode: not 404 };
}
