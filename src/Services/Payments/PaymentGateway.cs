using System.Text.Json;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.OutboundCalls;

namespace Sagas.Services.Payments;

/// <summary>The payment gateway: it honours <c>Idempotency-Key</c>.</summary>
public sealed class PaymentGateway(IOptions<PaymentsOptions> options, TimeProvider timeProvider) : CallTarget
{
    /// <summary>The gateway's name in <c>outbound_call</c>.</summary>
    public const string TargetName = "payment-gateway";

    private readonly Uri _payments = new(options.Value.GatewayUrl.TrimEnd('/') + "/payments");

    /// <inheritdoc />
    public override string Name => TargetName;

    /// <inheritdoc />
    public override CallMode Mode => CallMode.IdempotencyKey;

    /// <inheritdoc />
    public override OutboundCallOptions Options => options.Value.Calls;

    /// <inheritdoc />
    public override RetryPolicy Retry { get; } = RetryPolicy.Exponential(options.Value.Retry);

    /// <inheritdoc />
    public override HttpRequestMessage CreateRequest(OutboundCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        var payment = call.Read<ProcessPayment>();
        return new(HttpMethod.Post, _payments)
        {
            Headers = { { "Idempotency-Key", call.IdempotencyKey } },
            Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(payment, JsonSerializerOptions.Web))
            {
                Headers = { ContentType = new("application/json") },
            },
        };
    }

    /// <inheritdoc />
    public override CallOutcome ReadSuccess(OutboundCall call, CallResponse response)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(response);
        if (response.Read<Charge>() is not { Status: "captured", Reference: { Length: > 0 } reference })
            return CallOutcome.Unknown($"{response.Code}: the answer does not say that the payment was captured");
        var payment = call.Read<ProcessPayment>();
        return CallOutcome.Succeeded(
            $"{response.Code}: captured",
            new { response.Code, reference },
            new PaymentProcessed(payment.PaymentId, payment.CustomerId, reference, timeProvider.GetUtcNow())
        );
    }

    /// <inheritdoc />
    public override CallOutcome ReadRejection(OutboundCall call, CallResponse response)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(response);
        var reason = response.Code switch
        {
            402 => Clean(response.Read<Rejection>()?.Reason) ?? "declined without a reason",
            422 => "the gateway knows this payment with other data (422)",
            _ => $"the gateway rejected the request ({response.Code})",
        };
        var payment = call.Read<ProcessPayment>();
        var declined = new PaymentDeclined(payment.PaymentId, payment.CustomerId, reason, timeProvider.GetUtcNow());
        return response.Code == 402
            ? CallOutcome.Rejected("402: declined", new { response.Code, reason }, declined)
            : CallOutcome.AttemptRejected(reason, new { response.Code, reason }, declined);
    }

    // For people and the database: one line of limited length.
    private static string? Clean(string? reason)
    {
        if (string.IsNullOrWhiteSpace(reason))
            return null;
        var line = string.Concat(
            reason.Trim().Take(200).Select(sign => char.IsControl(sign) || char.IsSurrogate(sign) ? ' ' : sign)
        );
        return line;
    }

    private sealed record Charge(string? Reference, string? Status);

    private sealed record Rejection(string? Reason);
}
