namespace Sagas.Persistence;

/// <summary>Names a consumed message: by its first id, its consumer, and which redelivery of it this is.</summary>
/// <param name="MessageId">Id of the message first sent.</param>
/// <param name="ConsumerId">The consumer.</param>
/// <param name="RedeliveryCount">0 for the first delivery.</param>
internal readonly record struct InboxEntry(Guid MessageId, Guid ConsumerId, int RedeliveryCount);
