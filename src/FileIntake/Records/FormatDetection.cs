using System.Buffers;
using System.Text;

namespace Sagas.FileIntake.Records;

/// <summary>Detects the format of a file from its beginning.</summary>
internal static class FormatDetection
{
    /// <summary>How much of the beginning is examined.</summary>
    public const int SampleBytes = 64 * 1024;

    // Records of the sample that decide the delimiter.
    private const int SampleRecords = 100;

    private static readonly char[] _delimiters = [',', ';', '\t', '|'];

    /// <summary>Whether bytes are the start of a gzip file.</summary>
    public static bool IsGzip(ReadOnlySpan<byte> start) => start is [0x1F, 0x8B, 0x08, ..];

    /// <summary>Detects the encoding.</summary>
    /// <param name="sample">The file's beginning, decompressed.</param>
    /// <param name="isWhole">Whether the file ends with the sample.</param>
    public static (TextEncoding Encoding, int PreambleLength) DetectEncoding(ReadOnlySpan<byte> sample, bool isWhole)
    {
        switch (sample)
        {
            case [0xEF, 0xBB, 0xBF, ..]:
                return (TextEncoding.Utf8, 3);
            case [0xFF, 0xFE, ..]:
                return (TextEncoding.Utf16LittleEndian, 2);
            case [0xFE, 0xFF, ..]:
                return (TextEncoding.Utf16BigEndian, 2);
        }
        if (Utf16WithoutMark(sample) is { } utf16)
            return (utf16, 0);
        var (valid, invalid) = CountBeyondAscii(sample, isWhole);
        // A few invalid bytes among many valid UTF-8 sequences do not make it another encoding.
        return (
            valid + invalid == 0 ? TextEncoding.Ascii
            : valid > invalid ? TextEncoding.Utf8
            : TextEncoding.Windows1252,
            0
        );
    }

    /// <summary>Detects the delimiter: the one that splits the most records into as many fields as the first record; of
    /// several, the one that comes first in the file.</summary>
    /// <param name="sample">The beginning in UTF-8.</param>
    /// <param name="lineEnd">What ends a line.</param>
    public static char DetectDelimiter(ReadOnlySpan<byte> sample, char lineEnd)
    {
        var (best, bestScore, bestPlace) = (_delimiters[0], 0, 0);
        foreach (var delimiter in _delimiters)
        {
            var (score, place) = (Score(sample, (byte)delimiter, (byte)lineEnd), sample.IndexOf((byte)delimiter));
            if (score > bestScore || (score == bestScore && score > 0 && place < bestPlace))
                (best, bestScore, bestPlace) = (delimiter, score, place);
        }
        return best;
    }

    /// <summary>Detects what ends a line: a line feed, or a carriage return in a file that has no line feed outside
    /// quotes.</summary>
    /// <param name="sample">The beginning in UTF-8.</param>
    public static char DetectLineEnd(ReadOnlySpan<byte> sample)
    {
        var (quoted, isReturn) = (false, false);
        for (var index = 0; index < sample.Length; index++)
        {
            var value = sample[index];
            if (value == '"')
                quoted = !quoted;
            else if (!quoted && value == '\n')
                return '\n';
            // The sample may end between a carriage return and its line feed.
            else if (!quoted && value == '\r' && index + 1 < sample.Length)
                isReturn = true;
        }
        return isReturn ? '\r' : '\n';
    }

    /// <summary>Finds a first line such as <c>sep=;</c>, by which Excel names the delimiter.</summary>
    /// <param name="sample">The beginning in UTF-8, without byte order mark.</param>
    /// <param name="delimiter">The delimiter that it names.</param>
    /// <returns>The length of the line with its line break; 0 when there is none.</returns>
    public static int FindSeparatorLine(ReadOnlySpan<byte> sample, out char delimiter)
    {
        delimiter = default;
        var end = sample.IndexOfAny((byte)'\n', (byte)'\r');
        if (end < 0)
            return 0;
        var line = sample[..end].Trim((byte)'"');
        if (line.Length != 5 || !Ascii.EqualsIgnoreCase(line[..4], "sep="u8) || line[4] is >= 0x7F or < 0x20 and not (byte)'\t')
            return 0;
        delimiter = (char)line[4];
        var rest = sample[end..];
        return end + (rest.StartsWith("\r\n"u8) ? 2 : 1);
    }

    /// <summary>Why a file is no delimited text, a sentence; null when it may be.</summary>
    /// <param name="sample">The file's beginning, decompressed.</param>
    public static string? FindProblem(ReadOnlySpan<byte> sample)
    {
        switch (sample)
        {
            case [0x50, 0x4B, 0x03, 0x04, ..] or [0xD0, 0xCF, 0x11, 0xE0, ..]:
                return "The file is an Excel workbook or a zip archive: save the sheet as CSV, or compress the file with gzip.";
            case [0x28, 0xB5, 0x2F, 0xFD, ..] or [0xFD, 0x37, 0x7A, 0x58, ..] or [0x37, 0x7A, 0xBC, 0xAF, ..]:
            case [0x42, 0x5A, 0x68, _, 0x31, 0x41, 0x59, 0x26, ..] or [0x1F, 0x8B, 0x08, ..]:
                return "The file is compressed, and not once with gzip: compress it with gzip, or not at all.";
            case [0x25, 0x50, 0x44, 0x46, ..]:
                return "The file is a PDF document and no CSV.";
            case [0xFF, 0xFE, 0, 0, ..] or [0, 0, 0xFE, 0xFF, ..]:
                return "The file is UTF-32: save it as UTF-8.";
        }
        if (sample.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            sample = sample[3..];
        sample = sample.TrimStart(" \t\r\n"u8);
        if (sample is [(byte)'<', ..])
            return "The file is HTML or XML and no CSV.";
        var isJson =
            sample is [(byte)'{', ..] || (sample is [(byte)'[', .. var list] && list.TrimStart(" \t\r\n"u8) is [(byte)'{', ..]);
        return isJson ? "The file is JSON and no CSV." : null;
    }

    // Latin text in UTF-16 has a zero in every other byte; text in other encodings has none.
    private static TextEncoding? Utf16WithoutMark(ReadOnlySpan<byte> sample)
    {
        var pairs = sample.Length / 2;
        if (pairs < 2)
            return null;
        var (first, second) = (0, 0);
        for (var index = 0; index + 1 < sample.Length; index += 2)
        {
            first += sample[index] == 0 ? 1 : 0;
            second += sample[index + 1] == 0 ? 1 : 0;
        }
        if (second > pairs * 0.4 && first < pairs * 0.05)
            return TextEncoding.Utf16LittleEndian;
        return first > pairs * 0.4 && second < pairs * 0.05 ? TextEncoding.Utf16BigEndian : null;
    }

    private static (int Valid, int Invalid) CountBeyondAscii(ReadOnlySpan<byte> sample, bool isWhole)
    {
        var (valid, invalid) = (0, 0);
        while (true)
        {
            var next = sample.IndexOfAnyExceptInRange((byte)0, (byte)0x7F);
            if (next < 0)
                return (valid, invalid);
            sample = sample[next..];
            switch (Rune.DecodeFromUtf8(sample, out _, out var length))
            {
                case OperationStatus.Done:
                    valid++;
                    break;
                // The sample ends in the middle of a character.
                case OperationStatus.NeedMoreData when !isWhole:
                    return (valid, invalid);
                default:
                    invalid++;
                    break;
            }
            sample = sample[length..];
        }
    }

    private static int Score(ReadOnlySpan<byte> sample, byte delimiter, byte lineEnd)
    {
        var (records, expected, score) = (0, 0, 0);
        while (!sample.IsEmpty && records < SampleRecords)
        {
            var fields = CountFields(ref sample, delimiter, lineEnd);
            if (fields == 0)
                continue;
            if (records++ == 0)
                expected = fields;
            score += fields == expected ? 1 : 0;
        }
        return expected > 1 ? score : 0;
    }

    // An approximation: everything between two quotes is skipped.
    private static int CountFields(ref ReadOnlySpan<byte> sample, byte delimiter, byte lineEnd)
    {
        var (fields, quoted) = (1, false);
        for (var index = 0; index < sample.Length; index++)
        {
            var value = sample[index];
            if (value == '"')
                quoted = !quoted;
            else if (!quoted && value == delimiter)
                fields++;
            else if (!quoted && value == lineEnd)
            {
                var isBlank = sample[..index].Trim(" \r"u8).IsEmpty;
                sample = sample[(index + 1)..];
                return isBlank ? 0 : fields;
            }
        }
        // The last record may be cut off.
        sample = [];
        return fields;
    }
}
