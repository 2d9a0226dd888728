namespace Sagas.TestSupport.Servers;

/// <summary>A message to publish: plain JSON, as a producer that is not .NET would write it.</summary>
/// <param name="Exchange">The exchange to publish to.</param>
/// <param name="Body">JSON, or not.</param>
public sealed record PlainMessage(string Exchange, string Body)
{
    /// <summary>The same for every attempt to publish it.</summary>
    public string MessageId { get; } = Guid.NewGuid().ToString("D");
}
