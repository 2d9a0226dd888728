namespace Sagas.Messages;

/// <summary>
/// A message that can never be consumed as it is. It is not retried: it goes to the error queue with the reason in the
/// header <c>MT-Fault-Message</c>, where a person can read it.
/// </summary>
/// <param name="reason">What is wrong and what was expected, as a sentence without personal data.</param>
public sealed class MessageRefusedException(string reason) : Exception(reason);
