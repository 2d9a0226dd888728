using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Sagas.Services.Messages;

namespace Sagas.Cli.Broker;

/// <summary>A message that the services could not use, as its error queue holds it.</summary>
/// <param name="MessageId">The message's id; for a message without one, a name made from its content.</param>
/// <param name="ErrorQueue">The queue that holds it.</param>
/// <param name="Queue">The queue it came from.</param>
/// <param name="Message">The message's type, without namespace; null: it does not say.</param>
/// <param name="FailedAt">When it failed.</param>
/// <param name="Reason">Why.</param>
/// <param name="ExceptionType">The exception that said so.</param>
/// <param name="Body">The body, or its beginning.</param>
internal sealed record DeadLetter(
    string MessageId,
    string ErrorQueue,
    string Queue,
    string? Message,
    DateTimeOffset? FailedAt,
    string? Reason,
    string? ExceptionType,
    string Body)
{
    /// <summary>What MassTransit appends to a queue's name for messages that failed.</summary>
    public const string ErrorSuffix = "_error";

    /// <summary>What MassTransit appends to a queue's name for messages that no consumer is for.</summary>
    public const string SkippedSuffix = "_skipped";

    /// <summary>Names the message's type, for the services as for MassTransit.</summary>
    public const string TypeHeader = "MT-MessageType";

    // Enough to recognise a message by; a body may be megabytes.
    private const int BodyShown = 2_000;

    /// <summary>Reads what the error queue says of a message.</summary>
    /// <param name="errorQueue">The queue.</param>
    /// <param name="delivery">The message.</param>
    public static DeadLetter From(string errorQueue, BasicGetResult delivery)
    {
        var headers = delivery.BasicProperties.Headers;
        var body = Encoding.UTF8.GetString(delivery.Body.Span);
        var failedAt = DateTimeOffset.TryParse(Header(headers, "MT-Fault-Timestamp"), out var time) ? time : (DateTimeOffset?)null;
        return new DeadLetter(
            NameOf(delivery),
            errorQueue,
            QueueOf(errorQueue),
            TypeOf(headers, body) ?? delivery.BasicProperties.Type,
            failedAt,
            Header(headers, "MT-Fault-Message") ?? (errorQueue.EndsWith(SkippedSuffix, StringComparison.Ordinal) ? "no consumer takes it" : null),
            Header(headers, "MT-Fault-ExceptionType"),
            body.Length <= BodyShown ? body : body[..BodyShown]);
    }

    /// <summary>The message's id, or, for one without, a name made from its content.</summary>
    public static string NameOf(BasicGetResult delivery) => DeadLetterName.Of(delivery.BasicProperties.MessageId, delivery.Body.Span);

    /// <summary>The queue that an error queue belongs to.</summary>
    public static string QueueOf(string errorQueue) =>
        errorQueue.EndsWith(ErrorSuffix, StringComparison.Ordinal) ? errorQueue[..^ErrorSuffix.Length]
        : errorQueue.EndsWith(SkippedSuffix, StringComparison.Ordinal) ? errorQueue[..^SkippedSuffix.Length]
        : errorQueue;

    private static string? Header(IDictionary<string, object?>? headers, string name) =>
        headers is not null && headers.TryGetValue(name, out var value)
            ? value switch
            {
                byte[] bytes => Encoding.UTF8.GetString(bytes),
                AmqpTimestamp time => DateTimeOffset.FromUnixTimeSeconds(time.UnixTime).ToString("O"),
                null => null,
                _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture),
            }
            : null;

    // An envelope names its types; plain JSON does not, and neither does what is no JSON.
    private static string? TypeOf(IDictionary<string, object?>? headers, string body)
    {
        var types = Header(headers, TypeHeader) ?? Header(headers, "RabbitMQ-ExchangeName");
        if (types is null)
        {
            try
            {
                using var json = JsonDocument.Parse(body);
                if (json.RootElement.ValueKind == JsonValueKind.Object
                    && json.RootElement.TryGetProperty("messageType", out var names)
                    && names.ValueKind == JsonValueKind.Array
                    && names.GetArrayLength() > 0)
                    types = names[0].ToString();
            }
            catch (JsonException)
            {
                return null;
            }
        }

        return types?.Split(';')[0].Split(':', '.')[^1];
    }
}
