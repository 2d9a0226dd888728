using System.Text;

namespace Sagas.Services.Messages;

/// <summary>The rules for texts from outside, whatever way they came. White space around a text does not count.</summary>
public static class TextRules
{
    /// <summary>The longest text that is one line, such as a name, in UTF-16 characters.</summary>
    public const int MaxLineLength = 512;

    // RFC 5321, erratum 1690.
    private const int MaxEmailBytes = 254;

    /// <summary>
    /// What is wrong with a text that is one line, as the end of a sentence that begins with its name; null: nothing.
    /// </summary>
    public static string? LineProblem(ReadOnlySpan<char> text)
    {
        var line = text.Trim();
        return BlockProblem(line, MaxLineLength)
            ?? (HasControlCharacter(line) ? "must be one line, without control characters" : null);
    }

    /// <summary>
    /// What is wrong with a text that may have several lines, as the end of a sentence that begins with its name; null:
    /// nothing.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="maxLength">How long it may be, in UTF-16 characters.</param>
    public static string? BlockProblem(ReadOnlySpan<char> text, int maxLength)
    {
        if (text.Length > maxLength)
            return $"must be at most {maxLength} characters long, and has {text.Length}";
        // Postgres has no text with U+0000 in it, and none that is not Unicode.
        return text.Contains('\0') || Identifiers.HasBrokenSurrogate(text) ? "must be valid Unicode text without U+0000" : null;
    }

    /// <summary>
    /// What is wrong with an e-mail address, as the end of a sentence that begins with its name; null: nothing.
    /// </summary>
    public static string? EmailProblem(ReadOnlySpan<char> text)
    {
        if (LineProblem(text) is { } problem)
            return problem;
        var address = text.Trim();
        Span<byte> utf8 = stackalloc byte[Encoding.UTF8.GetMaxByteCount(MaxLineLength)];
        return IsEmailAddress(utf8[..Encoding.UTF8.GetBytes(address, utf8)]) ? null : "must be an e-mail address";
    }

    /// <summary>Whether a text has what every e-mail address must have.</summary>
    /// <param name="utf8">The text, without white space around it.</param>
    public static bool IsEmailAddress(ReadOnlySpan<byte> utf8)
    {
        var at = utf8.IndexOf((byte)'@');
        var domain = at < 0 ? default : utf8[(at + 1)..];
        return at > 0
            && utf8.Length <= MaxEmailBytes
            && !domain.Contains((byte)'@')
            && domain.IndexOf((byte)'.') > 0
            && domain[^1] != '.'
            && utf8.IndexOfAny(" ,;<>"u8) < 0
            && !HasControlCharacter(utf8);
    }

    /// <summary>Whether a text has U+0000 to U+001F or U+007F to U+009F, line breaks among them.</summary>
    public static bool HasControlCharacter(ReadOnlySpan<char> text) =>
        text.IndexOfAnyInRange('\0', '\u001F') >= 0 || text.IndexOfAnyInRange('\u007F', '\u009F') >= 0;

    /// <inheritdoc cref="HasControlCharacter(ReadOnlySpan{char})"/>
    public static bool HasControlCharacter(ReadOnlySpan<byte> utf8)
    {
        // One look at nearly every text.
        if (utf8.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) < 0)
            return false;
        if (utf8.IndexOfAnyInRange((byte)0, (byte)0x1F) >= 0 || utf8.Contains((byte)0x7F))
            return true;
        // U+0080 to U+009F are two bytes: C2 and the number.
        for (var next = utf8.IndexOf((byte)0xC2); next >= 0; )
        {
            if (utf8[next + 1] <= 0x9F)
                return true;
            var rest = utf8[(next + 2)..].IndexOf((byte)0xC2);
            next = rest < 0 ? -1 : next + 2 + rest;
        }
        return false;
    }
}
