namespace Sagas;

/// <summary>A message that can never be consumed: it becomes a dead letter with this reason and is not retried.</summary>
/// <param name="reason">What is wrong with the message, in plain text.</param>
public sealed class InvalidMessageException(string reason) : Exception(reason);
