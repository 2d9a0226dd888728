using System.Text.Json;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.PaymentGateway;

/// <summary>The outcome of one request.</summary>
internal enum Outcome : byte
{
    /// <summary>The money was charged: the only effect.</summary>
    Captured,
    Declined,

    /// <summary>The same request as before: its result again.</summary>
    Replayed,

    /// <summary>The key was used for another payment.</summary>
    KeyReused,

    /// <summary>Not a payment at all.</summary>
    Invalid,

    /// <summary>A fault ended it before anything was done.</summary>
    Unavailable,
}

/// <summary>A request as it came; records of the same request share one.</summary>
internal class Received(string? key, byte[] body, bool isJson)
{
    public string? Key => key;

    /// <summary>JSON on one line, or when it is not JSON whatever was sent.</summary>
    public byte[] Body => body;

    public bool IsJson => isJson;
}

/// <summary>The result of the first request with a key; every later one gets the same.</summary>
internal sealed class Settled(Received request, long sequence, string? declineReason)
    : Received(request.Key, request.Body, request.IsJson)
{
    /// <summary>The number of the record in which it was settled.</summary>
    public long Sequence => sequence;

    /// <summary>Null when it was captured.</summary>
    public string? DeclineReason => declineReason;

    public string Reference => $"gw-{sequence:D10}";
}

/// <summary>One line of the record. A struct with shared references, as there may be millions.</summary>
/// <param name="Sequence">1 and up, in the order in which the requests took effect.</param>
/// <param name="At">When the request came in.</param>
/// <param name="Received">What came.</param>
/// <param name="Settled">The result under its key, when the request has one.</param>
/// <param name="Outcome">The outcome.</param>
/// <param name="Fault">The injected fault.</param>
/// <param name="Status">The status that was sent; 0 when the connection was cut without one.</param>
internal readonly record struct GatewayRecord(
    long Sequence,
    DateTimeOffset At,
    Received Received,
    Settled? Settled,
    Outcome Outcome,
    Fault Fault,
    short Status
)
{
    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("sequence", Sequence);
        writer.WriteString("at", At.UtcDateTime);
        writer.WriteString("key", Received.Key);
        if (Received.IsJson)
        {
            writer.WritePropertyName("body");
            writer.WriteRawValue(Received.Body, skipInputValidation: true);
        }
        else
        {
            // Through a string: bytes that are not UTF-8 become replacement characters instead of an exception.
            writer.WriteString("body", System.Text.Encoding.UTF8.GetString(Received.Body));
        }

        if (Status == 0)
            writer.WriteNull("status");
        else
            writer.WriteNumber("status", Status);
        writer.WriteString("outcome", NameOf(Outcome));
        writer.WriteBoolean("effect", Outcome == Outcome.Captured);
        if (Settled is { DeclineReason: null })
            writer.WriteString("reference", Settled.Reference);
        if (Settled is { DeclineReason: { } reason })
            writer.WriteString("reason", reason);
        if (Fault != Fault.None)
            writer.WriteString("fault", NameOf(Fault));
        writer.WriteEndObject();
    }

    private static string NameOf<T>(T value)
        where T : struct, Enum => Names<T>.Of[value];

    private static class Names<T>
        where T : struct, Enum
    {
        public static readonly Dictionary<T, string> Of = Enum.GetValues<T>()
            .ToDictionary(value => value, value => JsonNamingPolicy.CamelCase.ConvertName(value.ToString()));
    }
}
