using System.Text;

namespace Sagas.Services.Files;

/// <summary>Turns Windows-1252 into UTF-8. Every byte is a character: the five that the code page leaves open are control
/// characters, as everywhere on the web.</summary>
internal static class Windows1252
{
    /// <summary>No byte becomes more than this many.</summary>
    public const int MaxExpansion = 3;

    private const string From80To9F =
        "\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F"
        + "\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178";

    /// <summary>Writes UTF-8; the target must have room for <see cref="MaxExpansion"/> times the source.</summary>
    /// <returns>Bytes written.</returns>
    public static int ToUtf8(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var written = 0;
        while (!source.IsEmpty)
        {
            var ascii = source.IndexOfAnyExceptInRange((byte)0, (byte)0x7F);
            var run = ascii < 0 ? source.Length : ascii;
            source[..run].CopyTo(target[written..]);
            written += run;
            if (ascii < 0)
                break;
            var value = source[run];
            var character = value <= 0x9F ? From80To9F[value - 0x80] : (char)value;
            written += new Rune(character).EncodeToUtf8(target[written..]);
            source = source[(run + 1)..];
        }
        return written;
    }
}
