using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Sagas.Services.Messages;

namespace Sagas.Cli.Broker;

/// <summary>A message that the services could not consume, as its error queue holds it.</summary>
/// <param name="MessageId">The message's id; without one, a name derived from its body.</param>
/// <param name="ErrorQueue">The queue that holds it.</param>
/// <param name="Queue">The queue it came from.</param>
/// <param name="Message">The message's type, without namespace; null: it does not name one.</param>
/// <param name="FailedAt">When it failed.</param>
/// <param name="Reason">Why.</param>
/// <param name="ExceptionType">The exception's type.</param>
/// <param name="StackTrace">Where it was thrown; null: unknown, or not asked for.</param>
/// <param name="Body">The body, or its beginning.</param>
internal sealed record DeadLetter(
    string MessageId,
    string ErrorQueue,
    string Queue,
    string? Message,
    DateTimeOffset? FailedAt,
    string? Reason,
    string? ExceptionType,
    string? StackTrace,
    string Body
)
{
    /// <summary>Names the message's type, for the services as for MassTransit.</summary>
    public const string TypeHeader = "MT-MessageType";

    // Enough to recognise a message; a body may have megabytes.
    private const int BeginningLength = 2_000;

    /// <summary>Reads a message of an error queue.</summary>
    /// <param name="errorQueue">The queue.</param>
    /// <param name="delivery">The message.</param>
    /// <param name="isWhole">Whether with the stack trace and the whole body.</param>
    public static DeadLetter From(string errorQueue, BasicGetResult delivery, bool isWhole = false)
    {
        var headers = delivery.BasicProperties.Headers;
        var body = Encoding.UTF8.GetString(delivery.Body.Span);
        DateTimeOffset? failedAt = DateTimeOffset.TryParse(Header(headers, "MT-Fault-Timestamp"), out var time) ? time : null;
        return new DeadLetter(
            NameOf(delivery),
            errorQueue,
            QueueOf(errorQueue),
            TypeOf(headers, body) ?? delivery.BasicProperties.Type,
            failedAt,
            Header(headers, "MT-Fault-Message")
                ?? (
                    errorQueue.EndsWith(DeadLetterName.SkippedSuffix, StringComparison.Ordinal) ? "no consumer accepts it" : null
                ),
            Header(headers, "MT-Fault-ExceptionType"),
            isWhole ? Header(headers, "MT-Fault-StackTrace") : null,
            isWhole || body.Length <= BeginningLength ? body : body[..BeginningLength]
        );
    }

    /// <summary>The message's id; without one, a name derived from its body.</summary>
    public static string NameOf(BasicGetResult delivery) =>
        DeadLetterName.Of(delivery.BasicProperties.MessageId, delivery.Body.Span);

    /// <summary>The queue that an error queue belongs to.</summary>
    public static string QueueOf(string errorQueue) =>
        errorQueue.EndsWith(DeadLetterName.ErrorSuffix, StringComparison.Ordinal)
            ? errorQueue[..^DeadLetterName.ErrorSuffix.Length]
        : errorQueue.EndsWith(DeadLetterName.SkippedSuffix, StringComparison.Ordinal)
            ? errorQueue[..^DeadLetterName.SkippedSuffix.Length]
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

    // An envelope names its types; plain JSON does not.
    private static string? TypeOf(IDictionary<string, object?>? headers, string body)
    {
        var types = Header(headers, TypeHeader) ?? Header(headers, "RabbitMQ-ExchangeName");
        if (types is null)
        {
            try
            {
                using var json = JsonDocument.Parse(body);
                if (
                    json.RootElement.ValueKind == JsonValueKind.Object
                    && json.RootElement.TryGetProperty("messageType", out var names)
                    && names.ValueKind == JsonValueKind.Array
                    && names.GetArrayLength() > 0
                )
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
