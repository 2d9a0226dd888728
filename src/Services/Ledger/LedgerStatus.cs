using System.Collections.Concurrent;

namespace Sagas.Services.Ledger;

/// <summary>How the targets of this process do, for health checks.</summary>
public sealed class LedgerStatus
{
    private readonly ConcurrentDictionary<string, Func<LedgerTargetStatus>> _targets = new(StringComparer.Ordinal);

    /// <summary>Every target's status, now.</summary>
    public IReadOnlyList<LedgerTargetStatus> Targets => [.. _targets.Values.Select(read => read())];

    internal void Add(string target, Func<LedgerTargetStatus> read) => _targets[target] = read;
}

/// <summary>How one target does, as this process sees it.</summary>
/// <param name="Target">The target.</param>
/// <param name="Breaker">State of the circuit breaker: <c>Closed</c>, <c>HalfOpen</c> or <c>Open</c>.</param>
/// <param name="Limit">Calls at once that the target has earned.</param>
/// <param name="InFlight">Calls in flight.</param>
/// <param name="BlockedFor">How much longer no call starts, for a pause that the target asked for or an open breaker.</param>
/// <param name="Unwritten">Outcomes that wait for the database.</param>
public sealed record LedgerTargetStatus(
    string Target, string Breaker, int Limit, int InFlight, TimeSpan BlockedFor, int Unwritten);
