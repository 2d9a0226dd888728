namespace Sagas.Services.Messages;

/// <summary>
/// The rule for identifiers from outside: 1 to 128 characters, trimmed, valid Unicode without control characters.
/// </summary>
public static class Identifiers
{
    /// <summary>The longest identifier, in UTF-16 characters.</summary>
    public const int MaxLength = 128;

    /// <summary>
    /// What is wrong with an identifier, as the end of a sentence that begins with its name; null where it can be used.
    /// </summary>
    public static string? Problem(ReadOnlySpan<char> value)
    {
        var id = value.Trim();
        if (id.IsEmpty)
            return "must not be empty";
        if (id.Length > MaxLength)
            return $"must be at most {MaxLength} characters long, and has {id.Length}";
        if (TextRules.HasControlCharacter(id))
            return "must not contain control characters";
        return HasBrokenSurrogate(id) ? "must be valid Unicode text" : null;
    }

    /// <summary>Whether text holds half a surrogate pair, which no encoding of Unicode can write.</summary>
    public static bool HasBrokenSurrogate(ReadOnlySpan<char> text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (!char.IsSurrogate(text[index]))
                continue;
            if (!char.IsHighSurrogate(text[index]) || ++index == text.Length || !char.IsLowSurrogate(text[index]))
                return true;
        }
        return false;
    }
}
