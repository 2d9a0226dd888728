namespace Sagas.Customers;

/// <summary>The data of a registration, and of a row.</summary>
/// <param name="FirstName">Given name.</param>
/// <param name="LastName">Family name.</param>
/// <param name="Email">E-mail address.</param>
/// <param name="Phone">Telephone number.</param>
/// <param name="RegisteredAt">Time of the data, UTC, to the microsecond.</param>
public readonly record struct CustomerData(
    string? FirstName,
    string? LastName,
    string? Email,
    string? Phone,
    DateTimeOffset RegisteredAt
)
{
    /// <summary>Whether nothing but the time differs.</summary>
    public bool IsSameAs(CustomerData other) =>
        (FirstName, LastName, Email, Phone) == (other.FirstName, other.LastName, other.Email, other.Phone);
}
