namespace Sagas.Persistence;

/// <summary>A message cannot be consumed in a group: it is consumed again, in a transaction of its own.</summary>
internal sealed class LeavesGroupException(string reason) : Exception($"Consumed in a transaction of its own: {reason}.");
