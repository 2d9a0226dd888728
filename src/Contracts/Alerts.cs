namespace Sagas.Contracts;

/// <summary>Alert a user through the webhook, once.</summary>
/// <param name="AlertId">The alert's identifier, 1 to 128 characters without control characters; sent again, it changes
/// nothing.</param>
/// <param name="UserId">The user, 1 to 128 characters without control characters.</param>
/// <param name="Message">The text for the user, 1 to 4,096 characters.</param>
public sealed record SendAlert(string AlertId, string UserId, string Message);

/// <summary>The webhook's receiver accepted an alert; published once.</summary>
/// <param name="AlertId">The alert.</param>
/// <param name="UserId">The user.</param>
/// <param name="DeliveredAt">When the receiver answered.</param>
public sealed record AlertDelivered(string AlertId, string UserId, DateTimeOffset DeliveredAt);

/// <summary>The webhook's receiver rejected an alert for good; published once.</summary>
/// <param name="AlertId">The alert.</param>
/// <param name="UserId">The user.</param>
/// <param name="Reason">What the receiver said.</param>
/// <param name="FailedAt">When the receiver answered.</param>
public sealed record AlertFailed(string AlertId, string UserId, string Reason, DateTimeOffset FailedAt);
