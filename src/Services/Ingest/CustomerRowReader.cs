using System.Text;
using Sagas.Contracts;
using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;
using Sagas.Services.Messages;

namespace Sagas.Services.Ingest;

/// <summary>Parses records into customers, by the rules of <c>CustomerRegistered</c>.</summary>
/// <param name="table">The rows; the current one is parsed.</param>
/// <param name="rules">The rules for messages.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed class CustomerRowReader(TableReader table, MessagesOptions rules, TimeProvider timeProvider)
{
    private const int MaxTimeLength = 64;

    private readonly int _customerId = table.Header.FieldOf(CustomerColumns.CustomerId);
    private readonly int _firstName = table.Header.FieldOf(CustomerColumns.FirstName);
    private readonly int _lastName = table.Header.FieldOf(CustomerColumns.LastName);
    private readonly int _email = table.Header.FieldOf(CustomerColumns.Email);
    private readonly int _phone = table.Header.FieldOf(CustomerColumns.Phone);
    private readonly int _source = table.Header.FieldOf(CustomerColumns.Source);
    private readonly int _registeredAt = table.Header.FieldOf(CustomerColumns.RegisteredAt);

    /// <summary>Parses the current row.</summary>
    /// <param name="row">The customer, valid until the next row is read.</param>
    /// <returns>Null for a valid row; else what is wrong.</returns>
    public RejectedRow? Read(out CustomerRow row)
    {
        row = default;
        if (table.RowProblem is { } rowProblem)
            return Reject(table.ProblemField, rowProblem);
        row.CustomerId = table.Trimmed(_customerId);
        row.FirstName = table.Trimmed(_firstName);
        row.LastName = table.Trimmed(_lastName);
        row.Email = table.Trimmed(_email);
        row.Phone = table.Trimmed(_phone);
        row.Source = table.Trimmed(_source);
        if (table.ProblemOfIdentifier(_customerId, row.CustomerId) is { } problem)
            return Reject(_customerId + 1, problem);
        return CheckText(row.FirstName, _firstName)
            ?? CheckText(row.LastName, _lastName)
            ?? CheckText(row.Email, _email)
            ?? CheckText(row.Phone, _phone)
            ?? CheckText(row.Source, _source)
            ?? CheckEmail(row.Email)
            ?? CheckPhone(row.Phone)
            ?? ReadTime(ref row);
    }

    private RejectedRow? CheckText(ReadOnlySpan<byte> text, int field)
    {
        if (text.Length > TextRules.MaxLineLength && Encoding.UTF8.GetCharCount(text) > TextRules.MaxLineLength)
            return Reject(field + 1, $"is longer than {TextRules.MaxLineLength} characters");
        if (Cell.ProblemOfText(text) is { } problem)
            return Reject(field + 1, problem);
        return TextRules.HasControlCharacter(text) ? Reject(field + 1, "contains a control character") : null;
    }

    private RejectedRow? CheckPhone(ReadOnlySpan<byte> phone) =>
        Cell.IsShortenedNumber(phone)
            ? Reject(_phone + 1, "is a number that a spreadsheet shortened; export the column as text")
            : null;

    private RejectedRow? CheckEmail(ReadOnlySpan<byte> email) =>
        email.IsEmpty || TextRules.IsEmailAddress(email) ? null : Reject(_email + 1, "is not an e-mail address");

    private RejectedRow? ReadTime(ref CustomerRow row)
    {
        var text = table.Trimmed(_registeredAt);
        if (text.IsEmpty)
            return null;
        Span<char> characters = stackalloc char[MaxTimeLength];
        if (
            !Encoding.UTF8.TryGetChars(text, characters, out var length)
            || !Instant.TryParse(characters[..length], null, out var instant)
        )
            return Reject(_registeredAt + 1, "is not a time such as 2026-11-21T04:41:00Z");
        var at = instant.ToDateTimeOffset();
        if (at < DateTimeOffset.UnixEpoch)
            return Reject(_registeredAt + 1, "is before 1970-01-01");
        if (at > timeProvider.GetUtcNow() + rules.MaxClockSkew)
            return Reject(_registeredAt + 1, "is in the future");
        row.RegisteredAt = at;
        return null;
    }

    private RejectedRow Reject(int field, string reason) =>
        new(
            table.Position.Line,
            field > 0 && field <= table.Header.Names.Count ? table.Header.Names[field - 1] : null,
            reason,
            table.Excerpt()
        );
}
