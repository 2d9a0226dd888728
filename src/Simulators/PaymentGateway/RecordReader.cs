using System.Text;
using System.Text.Json;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.PaymentGateway;

/// <summary>Reads back what <see cref="GatewayRecord.WriteTo"/> wrote.</summary>
internal static class RecordReader
{
    /// <param name="line">One record, as JSON.</param>
    /// <param name="find">The result that is known under a key.</param>
    /// <exception cref="Exception">It is not a record.</exception>
    public static GatewayRecord Read(ReadOnlyMemory<byte> line, Func<string, Settled?> find)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        var sequence = root.GetProperty("sequence").GetInt64();
        var outcome = Enum.Parse<Outcome>(root.GetProperty("outcome").GetString()!, ignoreCase: true);
        var fault = root.TryGetProperty("fault", out var name)
            ? Enum.Parse<Fault>(name.GetString()!, ignoreCase: true)
            : Fault.None;
        var status = root.GetProperty("status") is { ValueKind: JsonValueKind.Number } number ? number.GetInt16() : (short)0;

        var received = ReadReceived(root);
        var result = outcome switch
        {
            Outcome.Captured => new Settled(received, sequence, null),
            Outcome.Declined => new Settled(received, sequence, root.GetProperty("reason").GetString()),
            Outcome.Replayed => find(received.Key!),
            _ => null,
        };
        return new GatewayRecord(
            sequence,
            root.GetProperty("at").GetDateTimeOffset(),
            result is { Sequence: var settledAt } && settledAt == sequence ? result : received,
            result,
            outcome,
            fault,
            status
        );
    }

    private static Received ReadReceived(JsonElement root)
    {
        var body = root.GetProperty("body");
        var isJson = body.ValueKind == JsonValueKind.Object;
        var bytes = Encoding.UTF8.GetBytes(isJson ? body.GetRawText() : body.GetString() ?? "");
        return new Received(root.GetProperty("key").GetString(), bytes, isJson);
    }
}
