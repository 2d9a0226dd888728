using RabbitMQ.Client;

namespace Sagas.Services.Messages;

/// <summary>What a producer told the broker to do with its message, which must not hold for a copy of it.</summary>
public static class RoutingProperties
{
    /// <summary>Removes them from a copy.</summary>
    /// <param name="properties">The properties of a message that goes to or leaves an error queue.</param>
    public static void Remove(BasicProperties properties)
    {
        ArgumentNullException.ThrowIfNull(properties);
        // The broker closes the channel of a user that publishes under another's name.
        properties.ClearUserId();
        // The broker sends a copy to each queue that it names.
        properties.Headers?.Remove("CC");
    }
}
