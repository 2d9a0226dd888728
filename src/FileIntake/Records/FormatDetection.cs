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

    // The earlier one wins a tie.
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

    /// <summary>Detects the delimiter: the one that splits the most records into as many fields as the first record.</summary>
    /// <param name="sample">The beginning in UTF-8.</param>
    public static char DetectDelimiter(ReadOnlySpan<byte> sample)
    {
        var (best, bestScore) = (_delimiters[0], 0);
        foreach (var delimiter in _delimiters)
        {
            if (Score(sample, (byte)delimiter) is var score && score > bestScore)
                (best, bestScore) = (delimiter, score);
        }
        return best;
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

    private static int Score(ReadOnlySpan<byte> sample, byte delimiter)
    {
        var (records, expected, score) = (0, 0, 0);
        while (!sample.IsEmpty && records < SampleRecords)
        {
            var fields = CountFields(ref sample, delimiter);
            if (fields == 0)
                continue;
            if (records++ == 0)
                expected = fields;
            score += fields == expected ? 1 : 0;
        }
        return expected > 1 ? score : 0;
    }

    // An approximation: everything between two quotes is skipped.
    private static int CountFields(ref ReadOnlySpan<byte> sample, byte delimiter)
    {
        var (fields, quoted) = (1, false);
        for (var index = 0; index < sample.Length; index++)
        {
            var value = sample[index];
            if (value == '"')
                quoted = !quoted;
            else if (!quoted && value == delimiter)
                fields++;
            else if (!quoted && value == '\n')
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
