namespace Sagas.Services.Operations.Reads;

/// <summary>The state of the whole system, without personal data. It is read from indexes and counters: no table is counted,
/// and a number that is too large to count quickly ends at its limit.</summary>
/// <param name="At">When it was read.</param>
/// <param name="Activity">What was done in the last hour, by name.</param>
/// <param name="Queues">Messages in the services' queues; empty where the broker cannot be asked.</param>
/// <param name="Waiting">What waits.</param>
/// <param name="Targets">Third parties.</param>
/// <param name="Processes">The services' processes.</param>
public sealed record Overview(
    DateTimeOffset At,
    IReadOnlyList<ActivityLine> Activity,
    IReadOnlyList<QueueDepth> Queues,
    IReadOnlyList<WaitingCount> Waiting,
    IReadOnlyList<TargetOverview> Targets,
    IReadOnlyList<ProcessOverview> Processes
);

/// <summary>How often something was done.</summary>
/// <param name="Name">What: <c>consumed/&lt;message&gt;</c>, or <c>called/&lt;target&gt;/&lt;outcome&gt;</c>.</param>
/// <param name="LastHour">In the last hour.</param>
/// <param name="Minutes">In each of the last 60 minutes, the oldest first; the last one is not over.</param>
public sealed record ActivityLine(string Name, long LastHour, IReadOnlyList<long> Minutes);

/// <summary>A queue.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Messages">Messages ready in it.</param>
/// <param name="DeadLetters">Messages in its error queues.</param>
public sealed record QueueDepth(string Queue, long Messages, long DeadLetters);

/// <summary>Things that wait.</summary>
/// <param name="Name">What waits.</param>
/// <param name="Count">How many; at most <see cref="Limit"/>.</param>
/// <param name="Oldest">Since when the oldest one waits.</param>
public sealed record WaitingCount(string Name, long Count, DateTimeOffset? Oldest)
{
    /// <summary>Counting ends here.</summary>
    public const int Limit = 10_000;

    /// <summary>The count for people.</summary>
    public string Display => Count >= Limit ? "10,000+" : Count.ToString("N0", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A third party.</summary>
/// <param name="Target">Its name.</param>
/// <param name="State">calling, paused (by an operator), waiting (it asked for a pause) or disabled (it said it is gone).</param>
/// <param name="Reason">Why, where it does not call.</param>
/// <param name="Due">Calls due now, at most <see cref="WaitingCount.Limit"/>.</param>
/// <param name="OldestDue">Since when the oldest of them is due.</param>
/// <param name="Until">When it calls again, where that is known.</param>
/// <param name="PerSecond">Its rate limit, calls per second.</param>
public sealed record TargetOverview(
    string Target,
    string State,
    string? Reason,
    long Due,
    DateTimeOffset? OldestDue,
    DateTimeOffset? Until,
    double? PerSecond
);

/// <summary>A process of the services.</summary>
/// <param name="ProcessId">Its id.</param>
/// <param name="Host">Its host or container.</param>
/// <param name="Roles">Its roles.</param>
/// <param name="Version">Its version.</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="HeartbeatAt">Its last heartbeat.</param>
/// <param name="State">running, stopped or missing.</param>
/// <param name="Targets">How it sees the third parties.</param>
public sealed record ProcessOverview(
    Guid ProcessId,
    string Host,
    string Roles,
    string Version,
    DateTimeOffset StartedAt,
    DateTimeOffset HeartbeatAt,
    string State,
    IReadOnlyList<ProcessTarget> Targets
);

/// <summary>How a process sees a third party.</summary>
/// <param name="Target">The third party.</param>
/// <param name="Breaker">State of the circuit breaker.</param>
/// <param name="Limit">Concurrent calls that the adaptive limiter allows.</param>
/// <param name="InFlight">Calls in flight.</param>
public sealed record ProcessTarget(string Target, string Breaker, int Limit, int InFlight);
