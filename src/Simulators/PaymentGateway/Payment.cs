using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sagas.Simulators.PaymentGateway;

/// <summary>
/// The body of <c>POST /payments</c>. Two bodies are the same payment when these are equal, regardless of spelling.
/// </summary>
internal sealed record Payment(string? PaymentId, string? CustomerId, decimal? Amount, string? Currency)
{
    private const int MaxIdLength = 128;
    private const decimal MaxAmount = 1_000_000_000_000m;

    /// <summary>Reads a body.</summary>
    /// <returns>The payment, or what is wrong with the body.</returns>
    public static (Payment? Payment, string? Mistake) Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var payment = JsonSerializer.Deserialize(body, PaymentJson.Default.Payment);
            var mistake = payment is null ? "The body is null." : payment.Mistake();
            return mistake is null ? (payment, null) : (null, mistake);
        }
        // The reader throws InvalidOperationException for text that is not valid Unicode.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return exception is JsonException { Path: { Length: > 2 } path }
                ? (null, $"{path[2..]} is not of the right type.")
                : (null, "The body is not a JSON object.");
        }
    }

    private string? Mistake()
    {
        if (PaymentId is not { Length: > 0 and <= MaxIdLength })
            return $"paymentId is a text of 1 to {MaxIdLength} characters.";
        if (CustomerId is not { Length: > 0 and <= MaxIdLength })
            return $"customerId is a text of 1 to {MaxIdLength} characters.";
        if (Amount is not (> 0 and <= MaxAmount))
            return $"amount is a number above 0, at most {MaxAmount}.";
        if (Currency is not { Length: 3 } || !Currency.All(char.IsAsciiLetterUpper))
            return "currency is three capital letters.";
        return null;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Payment))]
internal sealed partial class PaymentJson : JsonSerializerContext;
