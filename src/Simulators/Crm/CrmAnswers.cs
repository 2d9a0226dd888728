using System.Buffers;
using System.Text.Json;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.Crm;

/// <summary>The CRM's result for one customer.</summary>
/// <param name="Call">What it was asked.</param>
/// <param name="Status">The status.</param>
/// <param name="Reference">Its own name for the stored data; null: nothing is stored.</param>
/// <param name="Reason">Why nothing is stored.</param>
/// <param name="IsReplay">It is an earlier result.</param>
internal sealed record CrmResult(CrmCall Call, int Status, string? Reference, string? Reason, bool IsReplay = false)
{
    public static CrmResult Failed(CrmCall call, int status, string reason) => new(call, status, null, reason);
}

/// <summary>Puts results into answers.</summary>
internal static class CrmAnswers
{
    /// <summary>The answer to one customer.</summary>
    public static Answer Single(CrmResult result)
    {
        var body = Json(writer => Write(writer, result));
        return Answer.Json(result.Status, body) with { IsReplay = result.IsReplay };
    }

    /// <summary>The answer to several, each with a status of its own.</summary>
    public static Answer Batch(IReadOnlyList<CrmResult> results) =>
        Answer.Json(
            200,
            Json(writer =>
            {
                writer.WriteStartObject();
                writer.WriteStartArray("results");
                foreach (var result in results)
                    Write(writer, result);
                writer.WriteEndArray();
                writer.WriteEndObject();
            })
        );

    /// <summary>The answer to a look-up of a customer.</summary>
    public static Answer Stored(StoredCustomer? customer) =>
        customer is null
            ? Answer.Problem(404, "Not found", "There is no such customer.")
            : Answer.Json(200, Json(writer => Write(writer, customer)));

    /// <summary>Writes what is stored of a customer.</summary>
    public static void Write(Utf8JsonWriter writer, StoredCustomer customer)
    {
        using var body = JsonDocument.Parse(customer.Body);
        writer.WriteStartObject();
        writer.WriteString("reference", customer.Reference);
        writer.WriteNumber("effects", customer.Effects);
        foreach (var property in body.RootElement.EnumerateObject())
            property.WriteTo(writer);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, CrmResult result)
    {
        writer.WriteStartObject();
        writer.WriteNumber("status", result.Status);
        if (result.Call.Customer is { } customer)
        {
            writer.WriteString("customerId", customer.CustomerId);
            writer.WriteNumber("version", customer.Version);
        }

        if (result.Reference is not null)
            writer.WriteString("reference", result.Reference);
        if (result.Reason is not null)
            writer.WriteString("reason", result.Reason);
        writer.WriteEndObject();
    }

    private static ReadOnlyMemory<byte> Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
            write(writer);
        return buffer.WrittenMemory;
    }
}
