using System.Text.Json;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.Services.Ledger;

namespace Sagas.Services.Payments;

/// <summary>The payment gateway: it honours <c>Idempotency-Key</c>.</summary>
public sealed class PaymentGateway(IOptions<PaymentsOptions> options, TimeProvider time) : LedgerTarget
{
    /// <summary>The gateway's name in the ledger.</summary>
    public const string TargetName = "payment-gateway";

    private readonly Uri _payments = new(options.Value.GatewayUrl.TrimEnd('/') + "/payments");

    /// <inheritdoc />
    public override string Name => TargetName;

    /// <inheritdoc />
    public override LedgerMode Mode => LedgerMode.IdempotencyKey;

    /// <inheritdoc />
    public override LedgerOptions Options => options.Value.Calls;

    /// <inheritdoc />
    public override HttpRequestMessage CreateRequest(LedgerCall call)
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
    public override LedgerVerdict ReadSuccess(LedgerCall call, LedgerAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(answer);
        if (answer.Read<Charge>() is not { Status: "captured", Reference: { Length: > 0 } reference })
            return LedgerVerdict.Unknown($"{answer.Code}: the answer does not say that the payment was captured");
        var payment = call.Read<ProcessPayment>();
        return LedgerVerdict.Done(
            $"{answer.Code}: captured",
            new { answer.Code, reference },
            new PaymentProcessed(payment.PaymentId, payment.CustomerId, reference, time.GetUtcNow()));
    }

    /// <inheritdoc />
    public override LedgerVerdict ReadRefusal(LedgerCall call, LedgerAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(answer);
        var reason = answer.Code switch
        {
            402 => Clean(answer.Read<Refusal>()?.Reason) ?? "declined without a reason",
            422 => "the gateway knows this payment with other data (422)",
            _ => $"the gateway refused the request ({answer.Code})",
        };
        var payment = call.Read<ProcessPayment>();
        var declined = new PaymentDeclined(payment.PaymentId, payment.CustomerId, reason, time.GetUtcNow());
        return answer.Code == 402
            ? LedgerVerdict.Declined("402: declined", new { answer.Code, reason }, declined)
            : LedgerVerdict.Rejected(reason, new { answer.Code, reason }, declined);
    }

    // The gateway's words go to people and into the database: one line of bearable length.
    private static string? Clean(string? reason)
    {
        if (string.IsNullOrWhiteSpace(reason))
            return null;
        var line = string.Concat(reason.Trim().Take(200).Select(sign => char.IsControl(sign) || char.IsSurrogate(sign) ? ' ' : sign));
        return line;
    }

    private sealed record Charge(string? Reference, string? Status);

    private sealed record Refusal(string? Reason);
}
