namespace Sagas.Services.Files;

/// <summary>How a file's bytes are text.</summary>
public enum TextEncoding
{
    /// <summary>The beginning of the file is ASCII. A record further on is read as UTF-8 if it is valid UTF-8, and as
    /// Windows-1252 otherwise.</summary>
    Ascii,

    /// <summary>UTF-8, by its byte order mark or its content.</summary>
    Utf8,

    /// <summary>Windows-1252, by content that is no UTF-8.</summary>
    Windows1252,

    /// <summary>UTF-16, the low byte first.</summary>
    Utf16LittleEndian,

    /// <summary>UTF-16, the high byte first.</summary>
    Utf16BigEndian,
}

/// <summary>What was found out about a file from its beginning.</summary>
/// <param name="Encoding">How its bytes are text.</param>
/// <param name="PreambleLength">Bytes of the byte order mark.</param>
/// <param name="Delimiter">What separates fields.</param>
/// <param name="IsCompressed">It is a gzip file; all else is about what it decompresses to.</param>
public sealed record TextFormat(TextEncoding Encoding, int PreambleLength, char Delimiter, bool IsCompressed);
