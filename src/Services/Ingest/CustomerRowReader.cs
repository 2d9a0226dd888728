using System.Globalization;
using System.Text;
using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;
using Sagas.Services.Messages;

namespace Sagas.Services.Ingest;

/// <summary>Parses records into customers, by the rules of <c>CustomerRegistered</c>.</summary>
internal sealed class CustomerRowReader(HeaderMap header, MessagesOptions rules, TimeProvider timeProvider)
{
    private const int MaxIdentifierLength = 128;
    private const int MaxTextLength = 512;
    private const int MaxEmailBytes = 254;

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
        return CheckText(record, row.FirstName, _firstName)
            ?? CheckText(record, row.LastName, _lastName)
            ?? CheckText(record, row.Email, _email)
            ?? CheckText(record, row.Phone, _phone)
            ?? CheckText(record, row.Source, _source)
            ?? CheckEmail(record, row.Email)
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
        if (id.Length > MaxIdentifierLength && Encoding.UTF8.GetCharCount(id) > MaxIdentifierLength)
            return $"is longer than {MaxIdentifierLength} characters";
        return HasControlCharacter(id) ? "contains a control character" : null;
    }

    private static bool HasControlCharacter(ReadOnlySpan<byte> text)
    {
        if (text.IndexOfAnyInRange((byte)0, (byte)0x1F) >= 0 || text.Contains((byte)0x7F))
            return true;
        // U+0080 to U+009F are two bytes: C2 and the number.
        for (var next = text.IndexOf((byte)0xC2); next >= 0; )
        {
            if (text[next + 1] <= 0x9F)
                return true;
            var rest = text[(next + 2)..].IndexOf((byte)0xC2);
            next = rest < 0 ? -1 : next + 2 + rest;
        }
        return false;
    }

    private RejectedRow? CheckText(RecordReader record, ReadOnlySpan<byte> text, int field)
    {
        if (text.Length > MaxTextLength && Encoding.UTF8.GetCharCount(text) > MaxTextLength)
            return Reject(record, field + 1, $"is longer than {MaxTextLength} characters");
        // Postgres has no text with U+0000 in it.
        return text.Contains((byte)0) ? Reject(record, field + 1, "contains the character U+0000") : null;
    }

    // Only what every address must have.
    private RejectedRow? CheckEmail(RecordReader record, ReadOnlySpan<byte> email)
    {
        if (email.IsEmpty)
            return null;
        var at = email.IndexOf((byte)'@');
        var domain = at < 0 ? default : email[(at + 1)..];
        var isAddress =
            at > 0
            && email.Length <= MaxEmailBytes
            && !domain.Contains((byte)'@')
            && domain.IndexOf((byte)'.') > 0
            && domain[^1] != '.'
            && email.IndexOfAny(" ,;<>"u8) < 0
            && !HasControlCharacter(email);
        return isAddress ? null : Reject(record, _email + 1, "is not an e-mail address");
    }

    private RejectedRow? ReadTime(RecordReader record, ref CustomerRow row)
    {
        var text = Text(record, _registeredAt);
        if (text.IsEmpty)
            return null;
        // The year must come first: other orders are ambiguous.
        Span<char> characters = stackalloc char[40];
        const DateTimeStyles styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (
            text.Length is < 8 or > 40
            || !Encoding.UTF8.TryGetChars(text, characters, out var length)
            || !StartsWithYear(characters)
            || !DateTimeOffset.TryParse(characters[..length], CultureInfo.InvariantCulture, styles, out var at)
        )
            return Reject(record, _registeredAt + 1, "is not a time such as 2026-11-21T04:41:00Z");
        if (at < DateTimeOffset.UnixEpoch)
            return Reject(record, _registeredAt + 1, "is before 1970-01-01");
        if (at > timeProvider.GetUtcNow() + rules.MaxClockSkew)
            return Reject(record, _registeredAt + 1, "is in the future");
        row.RegisteredAt = at;
        return null;
    }

    private static bool StartsWithYear(ReadOnlySpan<char> text) =>
        char.IsAsciiDigit(text[0])
        && char.IsAsciiDigit(text[1])
        && char.IsAsciiDigit(text[2])
        && char.IsAsciiDigit(text[3])
        && text[4] is '-' or '/';

    private RejectedRow Reject(RecordReader record, int field, string reason) =>
        new(
            record.Position.Line,
            field > 0 && field <= header.Names.Count ? header.Names[field - 1] : null,
            reason,
            record.Excerpt()
        );
}
