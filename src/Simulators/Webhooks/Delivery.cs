using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sagas.Simulators.Webhooks;

/// <summary>A request as it came.</summary>
/// <param name="At">When.</param>
/// <param name="Client">Who sent it.</param>
/// <param name="Path">Where to.</param>
/// <param name="Id">Its <c>webhook-id</c>, up to the length of a valid one.</param>
/// <param name="Alert">What it says; null: not an alert.</param>
/// <param name="Unsigned">Why its signature is not good; null: it is.</param>
/// <param name="Mistake">Why it is not an alert; null: it is.</param>
internal sealed record Delivery(
    DateTimeOffset At,
    string Client,
    string Path,
    string Id,
    Alert? Alert,
    string? Unsigned,
    string? Mistake
)
{
    private const int MaxBodyBytes = 64 * 1024;
    private const int MaxIdLength = 255;

    public static async Task<Delivery> ReadAsync(
        HttpContext context,
        SignatureCheck signatures,
        DateTimeOffset at,
        CancellationToken cancellationToken
    )
    {
        var http = context.Request;
        using var body = new MemoryStream(256);
        var buffer = new byte[4096];
        for (int read; body.Length <= MaxBodyBytes && (read = await http.Body.ReadAsync(buffer, cancellationToken)) > 0; )
            body.Write(buffer, 0, read);

        var bytes = body.GetBuffer().AsMemory(0, (int)body.Length);
        var id = http.Headers["webhook-id"].ToString();
        var unsigned = signatures.Mistake(
            id,
            http.Headers["webhook-timestamp"].ToString(),
            http.Headers["webhook-signature"].ToString(),
            bytes.Span
        );
        var (alert, mistake) =
            body.Length > MaxBodyBytes ? (null, $"An alert has at most {MaxBodyBytes} bytes.") : Alert.Read(bytes.Span);
        if (!http.HasJsonContentType())
            mistake = "The body is application/json.";
        return new Delivery(
            at,
            context.Connection.RemoteIpAddress?.ToString() ?? "",
            http.Path.Value ?? "",
            id[..Math.Min(id.Length, MaxIdLength)],
            alert,
            unsigned,
            mistake
        );
    }
}

/// <summary>The body of a delivery.</summary>
internal sealed record Alert(string? UserId, string? AlertMessage)
{
    public static (Alert? Alert, string? Mistake) Read(ReadOnlySpan<byte> body)
    {
        try
        {
            return
                JsonSerializer.Deserialize(body, AlertJson.Default.Alert) is { UserId.Length: > 0, AlertMessage: not null } alert
                ? (alert, null)
                : (null, "userId and alertMessage are texts.");
        }
        // The reader throws InvalidOperationException for text that is not valid Unicode.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return (null, "The body is not a JSON object of an alert.");
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Alert))]
[JsonSerializable(typeof(WebhookRecord))]
[JsonSerializable(typeof(WebhookRecord[]))]
internal sealed partial class AlertJson : JsonSerializerContext;
