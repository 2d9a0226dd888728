using System.Text;
using Sagas.Contracts;
using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;
using Sagas.Services.Messages;

namespace Sagas.Services.Ingest;

/// <summary>Parses records into customers, by the rules of <c>CustomerRegistered</c>.</summary>
internal sealed class CustomerRowReader(HeaderMap header, MessagesOptions rules, TimeProvider timeProvider)
{
    private const int MaxTimeLength = 64;

    private readonly int _customerId = header.FieldOf(CustomerColumns.CustomerId);
    private readonly int _firstName = header.FieldOf(CustomerColumns.FirstName);
    private readonly int _lastName = header.FieldOf(CustomerColumns.LastName);
    private readonly int _email = header.FieldOf(CustomerColumns.Email);
    private readonly int _phone = header.FieldOf(CustomerColumns.Phone);
    private readonly int _source = header.FieldOf(CustomerColumns.Source);
    private readonly int _registeredAt = header.FieldOf(CustomerColumns.RegisteredAt);

    /// <summary>Parses the current record of a reader.</summary>
    /// <param name="record">The reader.</param>
    /// <param name="row">The customer, valid until the reader reads the next record.</param>
    /// <returns>Null for a valid row; else what is wrong.</returns>
    public RejectedRow? Read(RecordReader record, out CustomerRow row)
    {
        row = default;
        if (record.Problem != RecordProblem.None)
            return Reject(record, record.ProblemField, Describe(record.Problem));
        if (record.FieldCount != header.Names.Count)
            return Reject(record, 0, $"has {record.FieldCount} fields where the header has {header.Names.Count}");
        row.CustomerId = Text(record, _customerId);
        row.FirstName = Text(record, _firstName);
        row.LastName = Text(record, _lastName);
        row.Email = Text(record, _email);
        row.Phone = Text(record, _phone);
        row.Source = Text(record, _source);
        if (ProblemWithIdentifier(row.CustomerId) is { } problem)
            return Reject(record, _customerId + 1, problem);
        return CheckEmail(record, row.Email)
            ?? CheckText(record, row.FirstName, _firstName)
            ?? CheckText(record, row.LastName, _lastName)
            ?? CheckText(record, row.Phone, _phone)
            ?? CheckText(record, row.Source, _source)
            ?? ReadTime(record, ref row);
    }

    private static string Describe(RecordProblem problem) =>
        problem switch
        {
            RecordProblem.TooLong => "the row is too long",
            RecordProblem.QuoteNotClosed => "a quote is opened and never closed",
            RecordProblem.TextAfterQuote => "text follows the quote that closes the field",
            RecordProblem.TooManyFields => "the row has too many fields",
            _ => "the row is not valid text in the encoding of the file",
        };

    // Without surrounding white space.
    private static ReadOnlySpan<byte> Text(RecordReader record, int field)
    {
        if (field < 0)
            return default;
        var text = record.Field(field);
        if (text.IsEmpty || (text[0] is > 0x20 and < 0x80 && text[^1] is > 0x20 and < 0x80))
            return text;
        var characters = Encoding.UTF8.GetString(text);
        var trimmed = characters.AsSpan().Trim();
        if (trimmed.Length == characters.Length)
            return text;
        var before = characters.AsSpan()[..characters.AsSpan().IndexOf(trimmed)];
        return text.Slice(Encoding.UTF8.GetByteCount(before), Encoding.UTF8.GetByteCount(trimmed));
    }

    private static string? ProblemWithIdentifier(ReadOnlySpan<byte> id)
    {
        if (id.IsEmpty)
            return "is empty";
        if (id.Length > Identifiers.MaxLength && Encoding.UTF8.GetCharCount(id) > Identifiers.MaxLength)
            return $"is longer than {Identifiers.MaxLength} characters";
        return TextRules.HasControlCharacter(id) ? "contains a control character" : null;
    }

    private RejectedRow? CheckText(RecordReader record, ReadOnlySpan<byte> text, int field)
    {
        if (text.Length > TextRules.MaxLineLength && Encoding.UTF8.GetCharCount(text) > TextRules.MaxLineLength)
            return Reject(record, field + 1, $"is longer than {TextRules.MaxLineLength} characters");
        return TextRules.HasControlCharacter(text) ? Reject(record, field + 1, "contains a control character") : null;
    }

    private RejectedRow? CheckEmail(RecordReader record, ReadOnlySpan<byte> email) =>
        email.IsEmpty || TextRules.IsEmailAddress(email) ? null : Reject(record, _email + 1, "is not an e-mail address");

    private RejectedRow? ReadTime(RecordReader record, ref CustomerRow row)
    {
        var text = Text(record, _registeredAt);
        if (text.IsEmpty)
            return null;
        Span<char> characters = stackalloc char[MaxTimeLength];
        if (
            !Encoding.UTF8.TryGetChars(text, characters, out var length)
            || !Instant.TryParse(characters[..length], null, out var instant)
        )
            return Reject(record, _registeredAt + 1, "is not a time such as 2026-11-21T04:41:00Z");
        var at = instant.ToDateTimeOffset();
        if (at < DateTimeOffset.UnixEpoch)
            return Reject(record, _registeredAt + 1, "is before 1970-01-01");
        if (at > timeProvider.GetUtcNow() + rules.MaxClockSkew)
            return Reject(record, _registeredAt + 1, "is in the future");
        row.RegisteredAt = at;
        return null;
    }

    private RejectedRow Reject(RecordReader record, int field, string reason) =>
        new(
            record.Position.Line,
            field > 0 && field <= header.Names.Count ? header.Names[field - 1] : null,
            reason,
            record.Excerpt()
        );
}
