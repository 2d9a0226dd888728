using System.Text;
using System.Text.Json;
using Sagas.Simulators.Faults;
using Sagas.Simulators.Records;

namespace Sagas.Simulators.Crm;

/// <summary>One customer's part of a request: the data, or what is wrong with them.</summary>
/// <param name="Key">The idempotency key that came with it; null: none.</param>
/// <param name="Body">What came, JSON on one line; null when it is not JSON.</param>
/// <param name="Customer">The data.</param>
/// <param name="Mistake">What is wrong.</param>
internal sealed record CrmCall(string? Key, byte[]? Body, Customer? Customer, string? Mistake);

/// <summary>A request to store customers as it was received.</summary>
/// <param name="At">When it came in.</param>
/// <param name="Calls">The customers; one unless it is a batch.</param>
/// <param name="IsBatch">Whether the answer is a list.</param>
/// <param name="Rejection">The answer to a request that is rejected as a whole.</param>
internal sealed record CrmRequest(DateTimeOffset At, IReadOnlyList<CrmCall> Calls, bool IsBatch, Answer? Rejection)
{
    private const int MaxBodyBytes = 1024 * 1024;
    private const int MaxKeyLength = 255;
    private const int MaxCustomers = 500;

    /// <summary>Reads a customer, or with <paramref name="isBatch"/> a list of them.</summary>
    public static async Task<CrmRequest> ReadAsync(
        HttpRequest http,
        bool isBatch,
        string? authorization,
        DateTimeOffset at,
        CancellationToken cancellationToken
    )
    {
        var (body, isWhole) = await RequestBody.ReadAsync(http, MaxBodyBytes, cancellationToken);
        if (authorization is not null && http.Headers.Authorization.ToString() != authorization)
            return Rejected(Answer.Problem(401, "Unauthorized", "The header Authorization is missing or wrong."));
        if (!http.HasJsonContentType())
            return Rejected(Answer.Problem(415, "Unsupported media type", "The body is application/json."));
        if (!isWhole)
            return Rejected(Answer.Problem(413, "Body too large", $"A request has at most {MaxBodyBytes} bytes."));
        RequestBody.PutOnOneLine(body);
        try
        {
            using var json = JsonDocument.Parse(body);
            if (!isBatch)
                return new CrmRequest(
                    at,
                    [Call(json.RootElement, NullIfEmpty(http.Headers["Idempotency-Key"].ToString()))],
                    false,
                    null
                );
            if (
                json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("customers", out var customers)
                || customers.ValueKind != JsonValueKind.Array
                || customers.GetArrayLength() is < 1 or > MaxCustomers
            )
                return Rejected(
                    Answer.Problem(400, "Not a batch", $"The body is an object with customers, a list of 1 to {MaxCustomers}.")
                );
            return new CrmRequest(
                at,
                [.. customers.EnumerateArray().Select(customer => Call(customer, KeyOf(customer)))],
                true,
                null
            );
        }
        catch (JsonException)
        {
            return Rejected(Answer.Problem(400, "Not JSON", "The body is not JSON."));
        }

        CrmRequest Rejected(Answer answer) => new(at, [new CrmCall(null, null, null, "not looked into")], isBatch, answer);
    }

    private static CrmCall Call(JsonElement json, string? key)
    {
        var (customer, mistake) = Customer.Read(json);
        if (key is not null && (key.Length > MaxKeyLength || !key.All(character => character is > ' ' and <= '~')))
            (key, mistake) = (
                key[..Math.Min(key.Length, MaxKeyLength)],
                $"An idempotency key is 1 to {MaxKeyLength} visible ASCII characters."
            );
        return new CrmCall(key, Encoding.UTF8.GetBytes(json.GetRawText()), customer, mistake);
    }

    private static string? KeyOf(JsonElement customer) =>
        customer.ValueKind == JsonValueKind.Object
        && customer.TryGetProperty("idempotencyKey", out var key)
        && key.ValueKind == JsonValueKind.String
            ? NullIfEmpty(key.GetString())
            : null;

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
