namespace Sagas;

/// <summary>A message is refused for good: it becomes a dead letter with this reason and is never retried.</summary>
/// <param name="reason">What is wrong with the message, for a person to read.</param>
public sealed class MessageRefusedException(string reason) : Exception(reason);
