using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Sagas.OutboundCalls;

namespace Sagas.Services.Crm;

/// <summary>The CRM: each version of a customer's data is sent to it by one call.</summary>
public sealed class CrmTarget : CallTarget
{
    /// <summary>The CRM's name in <c>outbound_call</c>.</summary>
    public const string TargetName = "crm";

    private readonly CrmOptions _options;
    private readonly Uri _customers;
    private readonly Uri _batches;

    /// <summary>Creates the target.</summary>
    /// <param name="options">Where and how it is called.</param>
    public CrmTarget(IOptions<CrmOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Value;
        Retry = RetryPolicy.Exponential(_options.Retry);
        var url = _options.Url.TrimEnd('/');
        _customers = new Uri(url + "/customers");
        _batches = new Uri($"{url}/{_options.BatchPath.TrimStart('/')}");
    }

    /// <inheritdoc />
    public override string Name => TargetName;

    /// <inheritdoc />
    public override CallMode Mode => _options.Mode;

    /// <inheritdoc />
    public override OutboundCallOptions Options => _options.Calls;

    /// <inheritdoc />
    public override RetryPolicy Retry { get; }

    /// <inheritdoc />
    public override TimeSpan LookupDelay => _options.LookupDelay;

    /// <inheritdoc />
    public override int BatchSize => _options.BatchSize;

    /// <inheritdoc />
    public override HttpRequestMessage CreateRequest(OutboundCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        var request = Request(HttpMethod.Post, _customers, System.Text.Encoding.UTF8.GetBytes(call.Request));
        // Only where the CRM is known to honour it.
        if (call.Mode == CallMode.IdempotencyKey)
            request.Headers.Add("Idempotency-Key", call.IdempotencyKey);
        return request;
    }

    /// <inheritdoc />
    public override HttpRequestMessage CreateBatchRequest(IReadOnlyList<OutboundCall> calls)
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
    public override IReadOnlyList<CallResponse> SplitResponse(IReadOnlyList<OutboundCall> calls, CallResponse response)
    {
        ArgumentNullException.ThrowIfNull(calls);
        ArgumentNullException.ThrowIfNull(response);
        var results = response.Read<BatchAnswer>()?.Results ?? [];
        var byCustomer = results
            .Where(result => result is { CustomerId: not null, Status: >= 100 and <= 599 })
            .ToLookup(result => result.CustomerId, StringComparer.Ordinal);
        return
        [
            .. calls.Select(call =>
                byCustomer[call.Read<Customer>().CustomerId].ToArray() is [var result]
                    ? new CallResponse(
                        (System.Net.HttpStatusCode)result.Status,
                        JsonSerializer.SerializeToUtf8Bytes(result, JsonSerializerOptions.Web),
                        Complete: true,
                        response.RetryAfter
                    )
                    : response
            ),
        ];
    }

    /// <inheritdoc />
    public override CallOutcome ReadSuccess(OutboundCall call, CallResponse response)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(response);
        var asked = call.Read<Customer>();
        if (
            response.Read<Customer>() is not { } stored
            || stored.CustomerId != asked.CustomerId
            || stored.Version != asked.Version
        )
            return CallOutcome.Unknown($"{response.Code}: the answer does not say that the CRM has these data");
        return CallOutcome.Succeeded($"{response.Code}: stored", response: null, message: null);
    }

    /// <inheritdoc />
    public override CallOutcome ReadRejection(OutboundCall call, CallResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        var said = Clean(response.Read<Rejection>()?.Said);
        return CallOutcome.AttemptRejected(
            $"{response.Code}: {said ?? "rejected without a reason"}",
            response: null,
            message: null
        );
    }

    /// <inheritdoc />
    public override HttpRequestMessage CreateLookup(OutboundCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        var customer = Uri.EscapeDataString(call.Read<Customer>().CustomerId!);
        // As a parameter: an id may have dots and slashes, which a path cannot carry.
        return Request(HttpMethod.Get, new Uri($"{_customers}?customerId={customer}"), body: null);
    }

    /// <inheritdoc />
    public override CallOutcome ReadLookup(OutboundCall call, CallResponse response)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(response);
        var asked = call.Read<Customer>();
        // A 404 page may come from a proxy; the CRM responds in JSON.
        if (response.Code == 404 && response.Read<Rejection>() is not null)
            return CallOutcome.Retryable("404 to the lookup: not stored");
        if (
            response.Code != 200
            || response.Read<Customer>() is not { Version: > 0 } stored
            || stored.CustomerId != asked.CustomerId
        )
            return base.ReadLookup(call, response);
        return stored.Version < asked.Version
            ? CallOutcome.Retryable("200 to the lookup: older data are stored")
            : CallOutcome.Succeeded("200 to the lookup: stored", response: null, message: null);
    }

    /// <inheritdoc />
    public override Task<bool> ApplyAsync(
        DbContext database,
        IReadOnlyList<CompletedCall> completed,
        CancellationToken cancellationToken
    ) => CrmResults.ApplyAsync(database, this, completed, cancellationToken);

    private HttpRequestMessage Request(HttpMethod method, Uri url, byte[]? body)
    {
        var request = new HttpRequestMessage(method, url);
        if (_options.Authorization is { } authorization)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (body is not null)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };
        return request;
    }

    private static void Write(Utf8JsonWriter json, OutboundCall call)
    {
        using var customer = JsonDocument.Parse(call.Request);
        json.WriteStartObject();
        if (call.Mode == CallMode.IdempotencyKey)
            json.WriteString("idempotencyKey", call.IdempotencyKey);
        foreach (var property in customer.RootElement.EnumerateObject())
            property.WriteTo(json);
        json.WriteEndObject();
    }

    // For people and the database: one line of limited length. The CRM may quote what was sent.
    private static string? Clean(string? said) =>
        string.IsNullOrWhiteSpace(said)
            ? null
            : string.Concat(said.Trim().Take(200).Select(sign => char.IsControl(sign) || char.IsSurrogate(sign) ? ' ' : sign));

    private sealed record Customer(string? CustomerId, int Version);

    private sealed record Rejection(string? Reason, string? Detail, string? Title)
    {
        public string? Said => Reason ?? Detail ?? Title;
    }

    private sealed record BatchAnswer(IReadOnlyList<BatchResult>? Results);

    private sealed record BatchResult(string? CustomerId, int Status, int Version, string? Reason, string? Detail, string? Title);
}
