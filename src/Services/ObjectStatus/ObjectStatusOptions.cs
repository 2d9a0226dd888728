using System.ComponentModel.DataAnnotations;
using Sagas.Configuration;

namespace Sagas.Services.ObjectStatus;

/// <summary>
/// Configuration section <c>ObjectStatus</c>: the callback, the fetching of statuses, and how long an object counts as seen.
/// </summary>
public sealed record ObjectStatusOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "ObjectStatus";

    private const int MaxPrefetch = ushort.MaxValue;

    /// <summary>Address of the status API; <c>/objects/{id}</c> is added.</summary>
    public string StatusApi { get; init; } = "http://localhost:5081/object-status";

    /// <summary>Port of <c>POST /callback</c>; 0: any free port.</summary>
    [Range(0, 65_535)]
    public int CallbackPort { get; init; } = 9090;

    /// <summary>
    /// What callers of the callback send in <c>X-Api-Key</c>; at least 16 characters. Without it, everyone may call.
    /// </summary>
    public string? ApiKey { get; init; }

    /// <summary>Largest callback body, in bytes.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>Most ids in one callback.</summary>
    [Range(1, 100_000)]
    public int MaxIds { get; init; } = 10_000;

    /// <summary>How long a callback waits for the broker's confirms before its ids go to the outbox. Together with
    /// <see cref="DatabaseTimeout"/> it must be shorter than the callers' timeout.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan BrokerTimeout { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long a callback waits for the outbox before it answers 503.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan DatabaseTimeout { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>Concurrent calls to the status API, per process.</summary>
    [Range(1, 40_000)]
    public int MaxConcurrency { get; init; } = 1000;

    /// <summary>How long one call may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Calls for one message before it is postponed.</summary>
    [Range(1, 20)]
    public int MaxAttempts { get; init; } = 3;

    /// <summary>Mean delay between the first two of these calls, with full jitter; doubles from call to call.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long an answer serves further requests of the same object in the same process; zero: only while the call is in
    /// flight.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan CacheDuration { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a message waits at most for an API that is down before it is postponed. Shorter than the broker's own timeout
    /// for consumers, 30 minutes by default.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:15:00")]
    public TimeSpan MaxHold { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a message whose calls failed is postponed the first time, jittered; doubles up to
    /// <see cref="MaxRedeliveryDelay"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan RedeliveryDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest postponement.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan MaxRedeliveryDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long an object counts as seen.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "365.00:00:00")]
    public TimeSpan ExpiryTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often objects that expired are removed.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "1.00:00:00")]
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Messages consumed at once: besides those in calls, some whose answers are being written or that wait for a call to
    /// end, so that a call can start as soon as another ends.
    /// </summary>
    internal int Consuming => Math.Min(MaxConcurrency + (MaxConcurrency / 8) + 16, MaxPrefetch);

    /// <summary>Messages taken from the broker at once, those that are consumed next included.</summary>
    internal int Prefetch => Math.Min(Consuming + (MaxConcurrency / 4) + 16, MaxPrefetch);

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        if (
            !Uri.TryCreate(StatusApi, UriKind.Absolute, out var url)
            || url.Scheme is not ("http" or "https")
            || url.Host.Length == 0
        )
            yield return Problem(nameof(StatusApi), "must be an absolute http or https address");
        else if (url.Query.Length > 0 || url.Fragment.Length > 0 || url.UserInfo.Length > 0)
            yield return Problem(nameof(StatusApi), "must have no query, fragment or user name");
        // Never the value: it is secret.
        if (ApiKey is { Length: < Http.ApiKey.MinLength })
            yield return Problem(nameof(ApiKey), $"must have at least {Http.ApiKey.MinLength} characters, or be left out");
        if (MaxRedeliveryDelay < RedeliveryDelay)
            yield return Problem(nameof(MaxRedeliveryDelay), $"must be at least {nameof(RedeliveryDelay)}");
    }

    private static string Problem(string name, string what) =>
        $"{Section}:{name} {what} (as an environment variable: {Section}__{name}).";
}
