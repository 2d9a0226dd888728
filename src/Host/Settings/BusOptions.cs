namespace Sagas.Host.Settings;

/// <summary>What carries the messages.</summary>
internal sealed record BusOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Bus";

    /// <summary><c>RabbitMq</c>, or <c>InMemory</c> for a single process.</summary>
    public BusTransport Transport { get; init; } = BusTransport.RabbitMq;
}

/// <summary>A carrier of messages.</summary>
internal enum BusTransport
{
    /// <summary>A broker, for any number of processes.</summary>
    RabbitMq,

    /// <summary>The memory of a single process.</summary>
    InMemory,
}
