namespace Sagas.OutboundCalls;

/// <summary>Permits granted to a process.</summary>
/// <param name="Count">How many calls may start.</param>
/// <param name="StartIn">When the first may start; negative: that moment has passed.</param>
/// <param name="Spacing">From one to the next; zero: there is no limit.</param>
/// <param name="AskIn">When to ask again.</param>
/// <param name="Epoch">The decrease of the learned rate after which they were granted.</param>
internal readonly record struct PermitGrant(int Count, TimeSpan StartIn, TimeSpan Spacing, TimeSpan AskIn, long Epoch);
