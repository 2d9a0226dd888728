namespace Sagas.Persistence;

/// <summary>What a consumer or saga consumes.</summary>
/// <param name="ConsumerType">MassTransit's short name of its type.</param>
/// <param name="MessageType">The message.</param>
internal readonly record struct GroupedConsumer(string ConsumerType, Type MessageType);
