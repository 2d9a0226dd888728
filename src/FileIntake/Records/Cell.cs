using System.Buffers;
using System.Globalization;
using System.Text;

namespace Sagas.FileIntake.Records;

/// <summary>
/// What spreadsheets, exporters and editors do to the text of a cell. What can be undone with certainty is undone; the rest is a
/// problem of the row.
/// </summary>
public static class Cell
{
    /// <summary>The longest identifier, in characters.</summary>
    public const int MaxIdentifierLength = 128;

    /// <summary>The characters that separate fields in one file or another; a blank is none.</summary>
    internal static readonly SearchValues<byte> Delimiters = SearchValues.Create(",;\t"u8);

    private static readonly SearchValues<byte> _number = SearchValues.Create("0123456789.,"u8);
    private static readonly SearchValues<byte> _errorName = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ/0_"u8);

    private static readonly string[] _months =
    [
        "jan",
        "feb",
        "mar",
        "apr",
        "may",
        "jun",
        "jul",
        "aug",
        "sep",
        "oct",
        "nov",
        "dec",
    ];

    /// <summary>The text without white space and invisible characters around it.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || (text[0] is > 0x20 and < 0x80 && text[^1] is > 0x20 and < 0x80))
            return text;
        while (Rune.DecodeFromUtf8(text, out var rune, out var length) == OperationStatus.Done && IsSpace(rune))
            text = text[length..];
        while (Rune.DecodeLastFromUtf8(text, out var rune, out var length) == OperationStatus.Done && IsSpace(rune))
            text = text[..^length];
        return text;
    }

    /// <summary>The text of a cell that was written as <c>="00127"</c>, so that a spreadsheet keeps its zeros; other texts as
    /// they are.</summary>
    public static ReadOnlySpan<byte> Unwrap(ReadOnlySpan<byte> text) =>
        text is [(byte)'=', (byte)'"', .. var inner, (byte)'"'] && !inner.Contains((byte)'"') ? inner : text;

    /// <summary>What is wrong with an identifier, as the end of a sentence; null when it can be used.</summary>
    /// <param name="id">UTF-8, trimmed.</param>
    public static string? ProblemOfIdentifier(ReadOnlySpan<byte> id)
    {
        if (id.IsEmpty)
            return "is empty";
        if (id.Length > MaxIdentifierLength && Encoding.UTF8.GetCharCount(id) > MaxIdentifierLength)
            return $"is longer than {MaxIdentifierLength} characters";
        if (id.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) >= 0 && ProblemOfCharacters(id) is { } problem)
            return problem;
        return id[0] switch
        {
            (byte)'=' => "is a formula",
            (byte)'\'' => "begins with an apostrophe",
            (byte)'#' when IsSpreadsheetError(id) => "is an error of a spreadsheet",
            >= (byte)'0' and <= (byte)'9' => ProblemOfNumber(id),
            _ when IsPlaceholder(id, ignoreCase: true) => "stands for a missing value",
            _ when IsDate(id) => "is a date that a spreadsheet made",
            _ when !HasLetterOrDigit(id) => "has no letter or digit",
            _ => null,
        };
    }

    /// <summary>What is wrong with a text, as the end of a sentence; null when it can be used.</summary>
    /// <param name="text">UTF-8.</param>
    public static string? ProblemOfText(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
            return null;
        // One look at nearly every text.
        if (text.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) >= 0)
        {
            // Postgres has no text with U+0000 in it.
            if (text.Contains((byte)0))
                return "contains the character U+0000";
            if (text.IndexOf("\uFFFD"u8) >= 0)
                return "contains U+FFFD: its original characters were lost in a conversion";
            if (HasC1Control(text))
                return "contains a character that the encoding of the file does not have";
        }
        if (text[0] == (byte)'#' && IsSpreadsheetError(text))
            return "is an error of a spreadsheet";
        return IsPlaceholder(text, ignoreCase: false) ? "stands for a missing value; leave it empty" : null;
    }

    /// <summary>Whether a number was shortened by a spreadsheet, such as <c>1.23E+15</c>.</summary>
    public static bool IsShortenedNumber(ReadOnlySpan<byte> text)
    {
        var exponent = text.IndexOfAny((byte)'E', (byte)'e');
        return exponent > 0
            && exponent + 2 < text.Length
            && text[exponent + 1] is (byte)'+' or (byte)'-'
            && text[(exponent + 2)..].IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0
            && !text[..exponent].ContainsAnyExcept(_number);
    }

    private static bool IsSpace(Rune rune) => Rune.IsWhiteSpace(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format;

    private static string? ProblemOfCharacters(ReadOnlySpan<byte> id)
    {
        var isFirst = true;
        while (!id.IsEmpty && Rune.DecodeFromUtf8(id, out var rune, out var length) == OperationStatus.Done)
        {
            if (Rune.IsControl(rune))
                return "contains a control character";
            if (rune == Rune.ReplacementChar)
                return "contains U+FFFD: its original characters were lost in a conversion";
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format || (Rune.IsWhiteSpace(rune) && rune.Value != ' '))
                return "contains an invisible character";
            if (isFirst && rune.Value is >= 0x2018 and <= 0x201F or 0xAB or 0xBB)
                return "begins with a typographic quote";
            isFirst = false;
            id = id[length..];
        }
        return null;
    }

    // U+0080 to U+009F are two bytes: C2 and the number.
    private static bool HasC1Control(ReadOnlySpan<byte> text)
    {
        for (var next = text.IndexOf((byte)0xC2); next >= 0; )
        {
            if (text[next + 1] <= 0x9F)
                return true;
            var rest = text[(next + 2)..].IndexOf((byte)0xC2);
            next = rest < 0 ? -1 : next + 2 + rest;
        }
        return false;
    }

    private static string? ProblemOfNumber(ReadOnlySpan<byte> id)
    {
        if (id.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0)
            return null;
        if (IsShortenedNumber(id))
            return "is a number that a spreadsheet shortened; export the column as text";
        var point = id.IndexOf((byte)'.');
        if (point > 0 && id[(point + 1)..] is { IsEmpty: false } decimals && decimals.IndexOfAnyExcept((byte)'0') < 0)
        {
            if (id[..point].IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0)
                return "is a decimal number; export the column as text";
        }
        return IsDate(id) ? "is a date that a spreadsheet made" : null;
    }

    // #N/A, #REF!, #NAME? and so on.
    private static bool IsSpreadsheetError(ReadOnlySpan<byte> text) =>
        text.Length is >= 4 and <= 16
        && text[0] == (byte)'#'
        && (text[^1] is (byte)'!' or (byte)'?' || text.SequenceEqual("#N/A"u8))
        && !text[1..^1].ContainsAnyExcept(_errorName);

    private static bool IsPlaceholder(ReadOnlySpan<byte> text, bool ignoreCase)
    {
        if (text.Length > 9)
            return false;
        if (ignoreCase)
        {
            return Ascii.EqualsIgnoreCase(text, "null"u8)
                || Ascii.EqualsIgnoreCase(text, "(null)"u8)
                || Ascii.EqualsIgnoreCase(text, "none"u8)
                || Ascii.EqualsIgnoreCase(text, "nan"u8)
                || Ascii.EqualsIgnoreCase(text, "n/a"u8)
                || Ascii.EqualsIgnoreCase(text, "undefined"u8)
                || text.SequenceEqual("\\N"u8);
        }
        // Null is a name too, and so are others in another case.
        return text[0] switch
        {
            (byte)'N' => text.SequenceEqual("NULL"u8) || text.SequenceEqual("NaN"u8),
            (byte)'n' => text.SequenceEqual("null"u8) || text.SequenceEqual("nan"u8),
            (byte)'(' => Ascii.EqualsIgnoreCase(text, "(null)"u8),
            (byte)'\\' => text.SequenceEqual("\\N"u8),
            (byte)'u' => text.SequenceEqual("undefined"u8),
            _ => false,
        };
    }

    // 1-Mar and Mar-26: what becomes of 3-1 and 3-26.
    private static bool IsDate(ReadOnlySpan<byte> id)
    {
        var dash = id.IndexOf((byte)'-');
        if (id.Length is < 5 or > 6 || dash < 0)
            return false;
        var before = id[..dash];
        var after = id[(dash + 1)..];
        return (IsMonth(after) && IsShortNumber(before)) || (IsMonth(before) && IsShortNumber(after));
    }

    private static bool IsShortNumber(ReadOnlySpan<byte> text) =>
        text.Length is 1 or 2 && text.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;

    private static bool IsMonth(ReadOnlySpan<byte> text)
    {
        if (text.Length != 3)
            return false;
        foreach (var month in _months)
        {
            if (Ascii.EqualsIgnoreCase(text, month))
                return true;
        }
        return false;
    }

    private static bool HasLetterOrDigit(ReadOnlySpan<byte> id)
    {
        foreach (var value in id)
        {
            if (value >= 0x80 || char.IsAsciiLetterOrDigit((char)value))
                return true;
        }
        return false;
    }
}
