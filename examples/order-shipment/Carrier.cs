using Microsoft.Extensions.Options;
using Sagas.OutboundCalls;

namespace Sagas.Examples.OrderShipment;

/// <summary>The carrier: it honours <c>Idempotency-Key</c>.</summary>
public sealed class Carrier(IOptions<CarrierOptions> options, TimeProvider timeProvider) : CallTarget
{
    /// <summary>The carrier's name in <c>outbound_call</c>.</summary>
    public const string TargetName = "carrier";

    private readonly Uri _shipments = new(options.Value.Url.TrimEnd('/') + "/shipments");

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
        return new(HttpMethod.Post, _shipments)
        {
            Headers = { { "Idempotency-Key", call.IdempotencyKey } },
            Content = JsonContent.Create(call.Read<ShipOrder>()),
        };
    }

    /// <inheritdoc />
    public override CallOutcome ReadSuccess(OutboundCall call, CallResponse response)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(response);
        if (response.Read<Shipment>() is not { TrackingNumber: { Length: > 0 } trackingNumber })
            return CallOutcome.Unknown($"{response.Code}: the answer has no tracking number");
        return CallOutcome.Succeeded(
            $"{response.Code}: accepted",
            new { response.Code, trackingNumber },
            new OrderShipped(call.Read<ShipOrder>().OrderId, trackingNumber, timeProvider.GetUtcNow())
        );
    }

    /// <inheritdoc />
    public override CallOutcome ReadRejection(OutboundCall call, CallResponse response)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(response);
        var reason = $"the carrier rejected the shipment ({response.Code})";
        var rejected = new ShipmentRejected(call.Read<ShipOrder>().OrderId, reason, timeProvider.GetUtcNow());
        // 422 is a decision about this shipment. Any other answer is about the request, and says nothing about earlier attempts.
        return response.Code == 422
            ? CallOutcome.Rejected(reason, new { response.Code }, rejected)
            : CallOutcome.AttemptRejected(reason, new { response.Code }, rejected);
    }

    private sealed record Shipment(string? TrackingNumber);
}
