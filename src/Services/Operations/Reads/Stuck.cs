namespace Sagas.Services.Operations.Reads;

/// <summary>Something that waits for longer than it should.</summary>
/// <param name="Kind">payment, call, message, target, process or dead letters.</param>
/// <param name="Subject">Which one.</param>
/// <param name="Link">Its page.</param>
/// <param name="Reason">Why it waits; what is stuck for the same reason is shown together.</param>
/// <param name="Since">Since when.</param>
/// <param name="WaitsFor">What it waits for.</param>
/// <param name="Wakes">What wakes it, and when.</param>
/// <param name="Help">What an operator can do; null: nothing but wait.</param>
public sealed record StuckThing(
    string Kind,
    string Subject,
    string Link,
    string Reason,
    DateTimeOffset? Since,
    string WaitsFor,
    string Wakes,
    string? Help
);

/// <summary>What is stuck for one reason.</summary>
/// <param name="Kind">What is stuck.</param>
/// <param name="Reason">Why.</param>
/// <param name="Count">How many of those that were read.</param>
/// <param name="Oldest">Since when the oldest waits.</param>
/// <param name="Help">What an operator can do.</param>
/// <param name="Things">The oldest of them.</param>
public sealed record StuckGroup(
    string Kind,
    string Reason,
    int Count,
    DateTimeOffset? Oldest,
    string? Help,
    IReadOnlyList<StuckThing> Things
);

/// <summary>All that is stuck.</summary>
/// <param name="At">When it was read.</param>
/// <param name="Groups">By reason, the oldest first.</param>
public sealed record StuckReport(DateTimeOffset At, IReadOnlyList<StuckGroup> Groups);
