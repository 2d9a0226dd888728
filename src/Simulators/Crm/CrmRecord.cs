using System.Text.Json;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.Crm;

/// <summary>The outcome of one customer's part of a request.</summary>
internal enum Outcome : byte
{
    /// <summary>The data were stored: the only effect.</summary>
    Stored,

    /// <summary>The same key as before: its result again.</summary>
    Replayed,

    /// <summary>The key was used for other data.</summary>
    KeyReused,

    /// <summary>The CRM declined these data.</summary>
    Declined,

    /// <summary>Not a customer at all.</summary>
    Invalid,

    /// <summary>A fault ended it before anything was done.</summary>
    Unavailable,
}

/// <summary>One line of the record.</summary>
/// <param name="Sequence">1 and up, in the order in which the calls took effect.</param>
/// <param name="At">When the request came in.</param>
/// <param name="Key">The idempotency key; null: none.</param>
/// <param name="CustomerId">The customer; null when that could not be read.</param>
/// <param name="Version">The version of the data; 0 when that could not be read.</param>
/// <param name="Body">What came, JSON; null when it was not JSON.</param>
/// <param name="Outcome">The outcome.</param>
/// <param name="Fault">The injected fault.</param>
/// <param name="Status">The status that was sent for it; 0 when the connection was cut without one.</param>
internal readonly record struct CrmRecord(
    long Sequence,
    DateTimeOffset At,
    string? Key,
    string? CustomerId,
    int Version,
    byte[]? Body,
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
        writer.WriteString("key", Key);
        writer.WriteString("customerId", CustomerId);
        writer.WriteNumber("version", Version);
        writer.WritePropertyName("body");
        if (Body is null)
            writer.WriteNullValue();
        else
            writer.WriteRawValue(Body, skipInputValidation: true);
        if (Status == 0)
            writer.WriteNull("status");
        else
            writer.WriteNumber("status", Status);
        writer.WriteString("outcome", JsonNamingPolicy.CamelCase.ConvertName(Outcome.ToString()));
        writer.WriteBoolean("effect", Outcome == Outcome.Stored);
        if (Fault != Fault.None)
            writer.WriteString("fault", JsonNamingPolicy.CamelCase.ConvertName(Fault.ToString()));
        writer.WriteEndObject();
    }

    /// <summary>Reads back what <see cref="WriteTo"/> wrote.</summary>
    /// <exception cref="Exception">It is not a record.</exception>
    public static CrmRecord Read(ReadOnlyMemory<byte> line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        var body = root.GetProperty("body");
        return new CrmRecord(
            root.GetProperty("sequence").GetInt64(),
            root.GetProperty("at").GetDateTimeOffset(),
            root.GetProperty("key").GetString(),
            root.GetProperty("customerId").GetString(),
            root.GetProperty("version").GetInt32(),
            body.ValueKind == JsonValueKind.Null ? null : System.Text.Encoding.UTF8.GetBytes(body.GetRawText()),
            Enum.Parse<Outcome>(root.GetProperty("outcome").GetString()!, ignoreCase: true),
            root.TryGetProperty("fault", out var fault) ? Enum.Parse<Fault>(fault.GetString()!, ignoreCase: true) : Fault.None,
            root.GetProperty("status") is { ValueKind: JsonValueKind.Number } status ? status.GetInt16() : (short)0
        );
    }
}
