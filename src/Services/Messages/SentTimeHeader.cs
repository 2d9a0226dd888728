using System.Globalization;
using MassTransit;

namespace Sagas.Services.Messages;

/// <summary>When a message that is not in MassTransit's envelope was sent.</summary>
public static class SentTimeHeader
{
    /// <summary>When the services first saw a message whose producer did not say when it was sent (ISO 8601). It stays with the
    /// message in its error queue and when it is retried from there: what is old must not become new.</summary>
    public const string FirstSeen = "Sagas-First-Seen";

    /// <summary>When a delivery was sent: the AMQP property <c>timestamp</c>, else the first time that the services saw it, which
    /// is its arrival unless it is retried. Never later than its arrival: a producer's clock or unit may be wrong.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="timeProvider">The clock.</param>
    public static DateTimeOffset Of(ReceiveContext delivery, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        ArgumentNullException.ThrowIfNull(timeProvider);
        var arrived = timeProvider.GetUtcNow() - delivery.ElapsedTime;
        return Named(delivery) is { } sent && sent <= arrived ? sent : arrived;
    }

    /// <summary>The value of <see cref="FirstSeen"/>.</summary>
    public static string Format(DateTimeOffset time) => time.ToString("O", CultureInfo.InvariantCulture);

    private static DateTimeOffset? Named(ReceiveContext delivery)
    {
        if (
            delivery.TryGetPayload<RabbitMqBasicConsumeContext>(out var amqp)
            && amqp.Properties.IsTimestampPresent()
            && amqp.Properties.Timestamp.UnixTime is > 0 and var seconds
            && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
        )
            return DateTimeOffset.FromUnixTimeSeconds(seconds);
        return DateTimeOffset.TryParse(
            HeaderText.Of(delivery.TransportHeaders, FirstSeen),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time
        )
            ? time
            : null;
    }
}
