namespace Sagas.Persistence;

/// <summary>A deferred inbox row existed: the message has had its effect.</summary>
internal sealed class MessageConsumedBeforeException(Exception inner) : Exception("The message was consumed before.", inner);
