using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sagas.Simulators.Crm;

/// <summary>A customer's data as they were sent. Two are the same when these are equal, regardless of spelling.</summary>
internal sealed record Customer(
    string? CustomerId,
    int Version,
    string? FirstName,
    string? LastName,
    string? Email,
    string? Phone,
    DateTimeOffset? RegisteredAt
)
{
    private const int MaxIdLength = 128;
    private const int MaxTextLength = 512;
    private const string DeclinedMailbox = "@declined.example";

    /// <summary>Whether the CRM rejects these data every time.</summary>
    public bool IsDeclined => Email?.EndsWith(DeclinedMailbox, StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Reads one customer.</summary>
    /// <returns>The customer, or what is wrong with it.</returns>
    public static (Customer? Customer, string? Mistake) Read(JsonElement json)
    {
        try
        {
            var customer = json.Deserialize(CustomerJson.Default.Customer);
            var mistake = customer is null ? "A customer is null." : customer.Mistake();
            return mistake is null ? (customer, null) : (null, mistake);
        }
        // The reader throws InvalidOperationException for text that is not valid Unicode.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return exception is JsonException { Path: { Length: > 2 } path }
                ? (null, $"{path[2..]} is not of the right type.")
                : (null, "A customer is not a JSON object.");
        }
    }

    private string? Mistake()
    {
        if (CustomerId is not { Length: > 0 and <= MaxIdLength })
            return $"customerId is a text of 1 to {MaxIdLength} characters.";
        if (Version < 1)
            return "version is a whole number, 1 or more.";
        return new[] { FirstName, LastName, Email, Phone }.Any(text => text?.Length > MaxTextLength)
            ? $"A text has at most {MaxTextLength} characters."
            : null;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Customer))]
internal sealed partial class CustomerJson : JsonSerializerContext;
