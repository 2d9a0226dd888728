namespace Sagas.Contracts;

/// <summary>A customer became known, or their data changed.</summary>
/// <param name="CustomerId">The customer's identifier, 1 to 128 characters without control characters.</param>
/// <param name="FirstName">Given name.</param>
/// <param name="LastName">Family name.</param>
/// <param name="Email">E-mail address.</param>
/// <param name="Phone">Telephone number as the source wrote it.</param>
/// <param name="RegisteredAt">When the source recorded these data; the newest wins whatever the order of arrival.
/// Absent: the time at which the message was received.</param>
/// <param name="Source">The system that says so.</param>
public sealed record CustomerRegistered(
    string CustomerId,
    string? FirstName = null,
    string? LastName = null,
    string? Email = null,
    string? Phone = null,
    DateTimeOffset? RegisteredAt = null,
    string? Source = null);
