namespace Sagas.Examples.OrderShipment;

/// <summary>A customer has placed an order.</summary>
/// <param name="OrderId">The order's identifier, 1 to 128 characters without control characters.</param>
/// <param name="CustomerId">The customer who placed it.</param>
/// <param name="Address">Where it is shipped to.</param>
public sealed record OrderPlaced(string OrderId, string CustomerId, string Address);

/// <summary>Ship an order with the carrier, once.</summary>
/// <param name="OrderId">The order; its idempotency key at the carrier derives from it.</param>
/// <param name="Address">Where it is shipped to.</param>
public sealed record ShipOrder(string OrderId, string Address);

/// <summary>The carrier has accepted a shipment.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="TrackingNumber">The carrier's name for the shipment.</param>
/// <param name="ShippedAt">When the carrier answered.</param>
public sealed record OrderShipped(string OrderId, string TrackingNumber, DateTimeOffset ShippedAt);

/// <summary>The carrier has rejected a shipment for good.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Reason">What the carrier said.</param>
/// <param name="RejectedAt">When the carrier answered.</param>
public sealed record ShipmentRejected(string OrderId, string Reason, DateTimeOffset RejectedAt);
