using System.Collections.Concurrent;

namespace Sagas.OutboundCalls;

/// <summary>How this process sees its targets.</summary>
public sealed class OutboundCallStatus
{
    private readonly ConcurrentDictionary<string, Func<CallTargetStatus>> _targets = new(StringComparer.Ordinal);

    /// <summary>Every target's status, now.</summary>
    public IReadOnlyList<CallTargetStatus> Targets => [.. _targets.Values.Select(read => read())];

    internal void Add(string target, Func<CallTargetStatus> read) => _targets[target] = read;
}
