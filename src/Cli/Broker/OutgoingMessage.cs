namespace Sagas.Cli.Broker;

/// <summary>A message to publish.</summary>
/// <typeparam name="T">A message of Sagas.Contracts.</typeparam>
/// <param name="Id">The id of what the message is about.</param>
/// <param name="Body">The message.</param>
internal sealed record OutgoingMessage<T>(string Id, T Body)
    where T : class
{
    /// <summary>The message's own id, by which a consumer recognises a second delivery.</summary>
    public Guid MessageId { get; } = Guid.CreateVersion7();
}
