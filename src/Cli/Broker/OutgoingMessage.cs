namespace Sagas.Cli.Broker;

/// <summary>A message on its way to an exchange.</summary>
/// <param name="Id">What the thing is called that the message is about.</param>
/// <param name="Body">A message of Sagas.Contracts.</param>
internal sealed record OutgoingMessage(string Id, object Body)
{
    /// <summary>The message's own id, by which a second delivery is recognised.</summary>
    public Guid MessageId { get; } = Guid.CreateVersion7();
}
