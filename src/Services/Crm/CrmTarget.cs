using System.Text.Json;
using Microsoft.Extensions.Options;
using Sagas.Services.Ledger;

namespace Sagas.Services.Crm;

/// <summary>The CRM, as a third party that is told of each version of a customer's data by one call.</summary>
public sealed class CrmTarget : LedgerTarget
{
    /// <summary>The CRM's name in the ledger.</summary>
    public const string TargetName = "crm";

    private readonly CrmOptions _options;
    private readonly Uri _customers;
    private readonly Uri _batches;

    /// <summary>Makes the target.</summary>
    /// <param name="options">Where and how it is called.</param>
    public CrmTarget(IOptions<CrmOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Value;
        var url = _options.Url.TrimEnd('/');
        _customers = new Uri(url + "/customers");
        _batches = new Uri($"{url}/{_options.BatchPath.TrimStart('/')}");
    }

    /// <inheritdoc />
    public override string Name => TargetName;

    /// <inheritdoc />
    public override LedgerMode Mode => _options.Mode;

    /// <inheritdoc />
    public override LedgerOptions Options => _options.Calls;

    /// <inheritdoc />
    public override int BatchSize => _options.BatchSize;

    /// <inheritdoc />
    public override HttpRequestMessage CreateRequest(LedgerCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        var request = Request(HttpMethod.Post, _customers, System.Text.Encoding.UTF8.GetBytes(call.Request));
        // Only where the CRM is said to honour it: elsewhere it would promise what nobody keeps.
        if (call.Mode == LedgerMode.IdempotencyKey)
            request.Headers.Add("Idempotency-Key", call.IdempotencyKey);
        return request;
    }

    /// <inheritdoc />
    public override HttpRequestMessage CreateBatchRequest(IReadOnlyList<LedgerCall> calls)
    {
        ArgumentNullException.ThrowIfNull(calls);
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteStartArray("customers");
            foreach (var call in calls)
                Write(json, call);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Request(HttpMethod.Post, _batches, body.ToArray());
    }

    /// <inheritdoc />
    public override IReadOnlyList<LedgerAnswer> SplitAnswer(IReadOnlyList<LedgerCall> calls, LedgerAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(calls);
        ArgumentNullException.ThrowIfNull(answer);
        var results = answer.Read<BatchAnswer>()?.Results ?? [];
        var byCustomer = results.Where(result => result is { CustomerId: not null, Status: >= 100 and <= 599 })
            .ToLookup(result => result.CustomerId, StringComparer.Ordinal);
        return
        [
            .. calls.Select(call => byCustomer[call.Read<Customer>().CustomerId].ToArray() is [var result]
                ? new LedgerAnswer(
                    (System.Net.HttpStatusCode)result.Status, JsonSerializer.SerializeToUtf8Bytes(result, JsonSerializerOptions.Web),
                    Complete: true, answer.RetryAfter)
                : answer),
        ];
    }

    /// <inheritdoc />
    public override LedgerVerdict ReadSuccess(LedgerCall call, LedgerAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(answer);
        var asked = call.Read<Customer>();
        if (answer.Read<Customer>() is not { } stored || stored.CustomerId != asked.CustomerId || stored.Version != asked.Version)
            return LedgerVerdict.Unknown($"{answer.Code}: the answer does not say that the CRM has these data");
        return LedgerVerdict.Done($"{answer.Code}: stored", response: null, message: null);
    }

    /// <inheritdoc />
    public override LedgerVerdict ReadRefusal(LedgerCall call, LedgerAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var said = Clean(answer.Read<Refusal>()?.Said);
        return LedgerVerdict.Rejected($"{answer.Code}: {said ?? "refused without a reason"}", response: null, message: null);
    }

    /// <inheritdoc />
    public override HttpRequestMessage CreateLookup(LedgerCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        var customer = Uri.EscapeDataString(call.Read<Customer>().CustomerId!);
        // As a parameter: an id may be such as a path does not bear, dots and slashes.
        return Request(HttpMethod.Get, new Uri($"{_customers}?customerId={customer}"), body: null);
    }

    /// <inheritdoc />
    public override LedgerVerdict ReadLookup(LedgerCall call, LedgerAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(answer);
        var asked = call.Read<Customer>();
        // A page that says 404 may come from anything on the way; the CRM answers in JSON.
        if (answer.Code == 404 && answer.Read<Refusal>() is not null)
            return LedgerVerdict.NothingHappened("404 to the lookup: not stored");
        if (answer.Code != 200 || answer.Read<Customer>() is not { Version: > 0 } stored || stored.CustomerId != asked.CustomerId)
            return base.ReadLookup(call, answer);
        return stored.Version < asked.Version
            ? LedgerVerdict.NothingHappened("200 to the lookup: older data are stored")
            : LedgerVerdict.Done("200 to the lookup: stored", response: null, message: null);
    }

    /// <inheritdoc />
    public override Task<bool> ApplyAsync(SagasDbContext database, IReadOnlyList<LedgerEnded> ended, CancellationToken cancellation) =>
        CrmResults.ApplyAsync(database, this, ended, cancellation);

    private HttpRequestMessage Request(HttpMethod method, Uri url, byte[]? body)
    {
        var request = new HttpRequestMessage(method, url);
        if (_options.Authorization is { } authorization)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (body is not null)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };
        return request;
    }

    private static void Write(Utf8JsonWriter json, LedgerCall call)
    {
        using var customer = JsonDocument.Parse(call.Request);
        json.WriteStartObject();
        if (call.Mode == LedgerMode.IdempotencyKey)
            json.WriteString("idempotencyKey", call.IdempotencyKey);
        foreach (var property in customer.RootElement.EnumerateObject())
            property.WriteTo(json);
        json.WriteEndObject();
    }

    // The CRM's words go to people and into the database: one line of bearable length. They may quote what was sent.
    private static string? Clean(string? said) => string.IsNullOrWhiteSpace(said)
        ? null
        : string.Concat(said.Trim().Take(200).Select(sign => char.IsControl(sign) || char.IsSurrogate(sign) ? ' ' : sign));

    private sealed record Customer(string? CustomerId, int Version);

    private sealed record Refusal(string? Reason, string? Detail, string? Title)
    {
        public string? Said => Reason ?? Detail ?? Title;
    }

    private sealed record BatchAnswer(IReadOnlyList<BatchResult>? Results);

    private sealed record BatchResult(string? CustomerId, int Status, int Version, string? Reason, string? Detail, string? Title);
}
