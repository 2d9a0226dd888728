using Sagas.Services.Modules;

namespace Sagas.Services.ObjectStatus;

/// <summary>Configuration section <c>ObjectStatus</c>: the callback, the fetching of statuses, and how long an object counts as seen.</summary>
public sealed record ObjectStatusOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "ObjectStatus";

    private const int LargestPrefetch = ushort.MaxValue;

    /// <summary>The status API's address, absolute http or https; <c>/objects/{id}</c> is added to it.</summary>
    public string StatusApi { get; init; } = "http://localhost:5081/object-status";

    /// <summary>The port of <c>POST /callback</c>, beside the process's other ports; 0: any free one.</summary>
    public int CallbackPort { get; init; } = 9090;

    /// <summary>What callers send in the header <c>X-Api-Key</c>; null: anybody may call.</summary>
    public string? ApiKey
    {
        get;
        // As empty as an environment variable that is not set.
        init => field = string.IsNullOrWhiteSpace(value) ? null : value;
    }

    /// <summary>The longest callback body that is read, in bytes.</summary>
    public int MaximumBodySize { get; init; } = 2 * 1024 * 1024;

    /// <summary>The most ids in one callback.</summary>
    public int MaximumIds { get; init; } = 10_000;

    /// <summary>How long a callback waits for the broker's confirms before its ids go to the outbox. With <see cref="DatabaseTimeout"/>
    /// it must stay below what the callers wait.</summary>
    public TimeSpan BrokerTimeout { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long a callback waits for the outbox before it is refused.</summary>
    public TimeSpan DatabaseTimeout { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>Calls to the status API at once, per process.</summary>
    public int InFlight { get; init; } = 1000;

    /// <summary>How long one call may take.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Calls for one message before it is delivered again later.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>About the pause between the first two of these calls, jittered; doubles from call to call.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long an answer serves for further requests of the same object in the same process; zero: only while the call
    /// is in flight.</summary>
    public TimeSpan Freshness { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a message waits at most for an API that is down before it is delivered again later. Less than the
    /// broker's own patience with consumers, 30 minutes by default.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How much later a message whose calls failed is delivered again, the first time, jittered; doubles up to
    /// <see cref="RedeliveryCap"/>.</summary>
    public TimeSpan RedeliveryDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest that such a message waits between two deliveries.</summary>
    public TimeSpan RedeliveryCap { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long an object counts as seen.</summary>
    public TimeSpan Expiry { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often objects that were not seen for <see cref="Expiry"/> are removed.</summary>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Messages consumed at once: besides those in calls, some whose answers are being written or whose place is about to
    /// come free, so that a place is never empty while there is work.</summary>
    internal int Consuming => Math.Min(InFlight + (InFlight / 8) + 16, LargestPrefetch);

    /// <summary>Messages taken from the broker at once: what is consumed next is here already.</summary>
    internal int Prefetch => Math.Min(Consuming + (InFlight / 4) + 16, LargestPrefetch);

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        if (!Uri.TryCreate(StatusApi, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
            yield return Say(nameof(StatusApi), "must be an absolute http or https address");
        else if (url.Query.Length > 0 || url.Fragment.Length > 0 || url.UserInfo.Length > 0)
            yield return Say(nameof(StatusApi), "must have no query, fragment or user name");
        if (CallbackPort is < 0 or > ushort.MaxValue)
            yield return Say(nameof(CallbackPort), "must be a port, or 0 for any free one");
        if (ApiKey is { Length: < Http.ApiKey.Shortest })
            yield return Say(nameof(ApiKey), $"must have at least {Http.ApiKey.Shortest} characters, or be left out");
        if (MaximumBodySize is < 1024 or > 64 * 1024 * 1024)
            yield return Say(nameof(MaximumBodySize), "must be from 1024 to 67108864 bytes");
        if (MaximumIds is < 1 or > 100_000)
            yield return Say(nameof(MaximumIds), "must be from 1 to 100000");
        if (InFlight is < 1 or > 40_000)
            yield return Say(nameof(InFlight), "must be from 1 to 40000");
        if (Attempts is < 1 or > 20)
            yield return Say(nameof(Attempts), "must be from 1 to 20");
        if (Freshness < TimeSpan.Zero || Freshness > TimeSpan.FromHours(1))
            yield return Say(nameof(Freshness), "must be from zero to an hour");
        if (RedeliveryCap < RedeliveryDelay)
            yield return Say(nameof(RedeliveryCap), $"must be at least {nameof(RedeliveryDelay)}");
        foreach (var problem in DurationProblems())
            yield return problem;
    }

    private IEnumerable<string> DurationProblems()
    {
        (string Name, TimeSpan Value, TimeSpan Shortest, TimeSpan Longest)[] durations =
        [
            (nameof(BrokerTimeout), BrokerTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1)),
            (nameof(DatabaseTimeout), DatabaseTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1)),
            (nameof(AttemptTimeout), AttemptTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(5)),
            (nameof(RetryDelay), RetryDelay, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1)),
            (nameof(Hold), Hold, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(15)),
            (nameof(RedeliveryDelay), RedeliveryDelay, TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1)),
            (nameof(RedeliveryCap), RedeliveryCap, TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1)),
            (nameof(Expiry), Expiry, TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(365)),
            (nameof(SweepInterval), SweepInterval, TimeSpan.FromMilliseconds(50), TimeSpan.FromDays(1)),
        ];
        foreach (var (name, value, shortest, longest) in durations)
        {
            if (value < shortest || value > longest)
                yield return Say(name, $"must be a duration from {shortest:c} to {longest:c}");
        }
    }

    private static string Say(string name, string what) => $"{Section}:{name} {what} (as an environment variable: {Section}__{name}).";
}
