namespace Sagas.FileIntake.Records;

/// <summary>The encoding of a file.</summary>
public enum TextEncoding
{
    /// <summary>The beginning of the file is ASCII. A record further on is read as UTF-8 if it is valid UTF-8, and as
    /// Windows-1252 otherwise.</summary>
    Ascii,

    /// <summary>UTF-8, by its byte order mark or its content.</summary>
    Utf8,

    /// <summary>Windows-1252: the content is not UTF-8.</summary>
    Windows1252,

    /// <summary>UTF-16, little-endian.</summary>
    Utf16LittleEndian,

    /// <summary>UTF-16, big-endian.</summary>
    Utf16BigEndian,
}

/// <summary>The format of a file, detected from its beginning.</summary>
/// <param name="Encoding">Its encoding.</param>
/// <param name="PreambleLength">Length of what precedes the first record, in bytes: the byte order mark, and the line
/// <c>sep=;</c> that Excel writes.</param>
/// <param name="Delimiter">The character that separates fields.</param>
/// <param name="IsCompressed">Whether it is a gzip file; the rest describes its decompressed content.</param>
public sealed record TextFormat(TextEncoding Encoding, int PreambleLength, char Delimiter, bool IsCompressed)
{
    /// <summary>The character that ends a line, with or without a carriage return before a line feed; a carriage return in
    /// files that have no line feed.</summary>
    public char LineEnd { get; init; } = '\n';

    /// <summary>The lines of the preamble: 1 with a line <c>sep=;</c>, else 0.</summary>
    public int PreambleLines { get; init; }

    /// <summary>Why this is no delimited text, a sentence; null when it may be.</summary>
    public string? Problem { get; init; }
}
