using System.Text;

namespace Sagas.FileIntake.Records;

/// <summary>A file of any encoding and compression as a stream of UTF-8.</summary>
internal sealed class TextSource : IDisposable
{
    // Large reads: each holds hundreds of records.
    private const int RawBytes = 64 * 1024;

    // A byte of Windows-1252 takes up to three in UTF-8, and so do two bytes of UTF-16.
    private const int MaxExpansion = 3;

    private readonly FileStream _file;
    private readonly long? _length;
    private readonly Decoder? _decoder;
    private readonly byte[] _raw = [];
    private readonly char[] _characters = [];
    private readonly GzipContent? _compressed;
    private bool _flushed;

    private TextSource(FileStream file, TextFormat format, long? length)
    {
        _file = file;
        _length = length;
        Format = format;
        _compressed = format.IsCompressed ? new GzipContent(file, FileLength) : null;
        _decoder = format.Encoding switch
        {
            TextEncoding.Windows1252 => Windows1252.GetDecoder(),
            TextEncoding.Utf16LittleEndian => new UnicodeEncoding(bigEndian: false, byteOrderMark: false).GetDecoder(),
            TextEncoding.Utf16BigEndian => new UnicodeEncoding(bigEndian: true, byteOrderMark: false).GetDecoder(),
            _ => null,
        };
        if (_decoder is not null)
            (_raw, _characters) = (new byte[RawBytes], new char[RawBytes + 2]);
    }

    public TextFormat Format { get; }

    /// <summary>Windows-1252. Each byte is one character, also the five that the code page leaves undefined.</summary>
    public static Encoding Windows1252 { get; } = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    /// <summary>The room that <see cref="Read"/> needs, in bytes.</summary>
    public static int MinReadBytes => RawBytes * MaxExpansion;

    public long FileLength => Math.Min(_file.Length, _length ?? long.MaxValue);

    public long FilePosition => _file.Position;

    public static TextSource Open(string path, RecordReaderOptions options)
    {
        var file = RegularFile.Open(path);
        try
        {
            return new TextSource(file, Detect(file, options), options.Length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads the next part of the text.</summary>
    /// <param name="target">At least <see cref="MinReadBytes"/> bytes.</param>
    /// <returns>Bytes of UTF-8; 0 at the end.</returns>
    /// <exception cref="InvalidDataException">The compressed file is damaged or cut off.</exception>
    public int Read(Span<byte> target)
    {
        if (_decoder is null)
            return ReadBytes(target);
        var read = ReadBytes(_raw);
        if (read == 0 && _flushed)
            return 0;
        _flushed = read == 0;
        var count = _decoder.GetChars(_raw.AsSpan(0, read), _characters, flush: _flushed);
        // An odd byte or half a surrogate pair does not complete a character yet.
        if (count == 0)
            return _flushed ? 0 : Read(target);
        return Encoding.UTF8.GetBytes(_characters.AsSpan(0, count), target);
    }

    /// <summary>Continues at an offset.</summary>
    /// <param name="offset">Bytes of the file, or of the decompressed content of a compressed file.</param>
    public void MoveTo(long offset)
    {
        _decoder?.Reset();
        _flushed = false;
        if (_compressed is null)
            _file.Position = offset;
        else
            _compressed.MoveTo(offset);
    }

    /// <summary>How many bytes of the file, or of its decompressed content, this text was decoded from.</summary>
    public long LengthInSource(ReadOnlySpan<byte> utf8) =>
        Format.Encoding switch
        {
            TextEncoding.Windows1252 => Encoding.UTF8.GetCharCount(utf8),
            TextEncoding.Utf16LittleEndian or TextEncoding.Utf16BigEndian => 2L * Encoding.UTF8.GetCharCount(utf8),
            _ => utf8.Length,
        };

    public void Dispose() => _file.Dispose();

    private static TextFormat Detect(FileStream file, RecordReaderOptions options)
    {
        var fileLength = Math.Min(file.Length, options.Length ?? long.MaxValue);
        Span<byte> start = stackalloc byte[3];
        var isCompressed = FormatDetection.IsGzip(start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
        file.Position = 0;
        var sample = new byte[
            (int)(isCompressed ? FormatDetection.SampleBytes : Math.Min(FormatDetection.SampleBytes, fileLength))
        ];
        var (length, isWhole) = isCompressed
            ? ReadSample(new GzipContent(file, fileLength), sample)
            : (file.ReadAtLeast(sample, sample.Length, throwOnEndOfStream: false), sample.Length == fileLength);
        file.Position = 0;
        var (encoding, preamble) = FormatDetection.DetectEncoding(sample.AsSpan(0, length), isWhole);
        var format = new TextFormat(encoding, preamble, options.Delimiter ?? ',', isCompressed)
        {
            Problem = FormatDetection.FindProblem(sample.AsSpan(0, length)),
        };
        return DetectLines(file, format, options);
    }

    private static (int Length, bool IsWhole) ReadSample(GzipContent content, Span<byte> sample)
    {
        var length = content.Read(sample);
        return (length, length < sample.Length && !content.IsDamaged);
    }

    private static TextFormat DetectLines(FileStream file, TextFormat format, RecordReaderOptions options)
    {
        // Not disposed: the caller still owns the file.
        var source = new TextSource(file, format, options.Length);
        source.MoveTo(format.PreambleLength);
        var buffer = new byte[MinReadBytes];
        var length = source.Read(buffer);
        file.Position = 0;
        var text = buffer.AsSpan(0, Math.Min(length, FormatDetection.SampleBytes));
        var separatorLine = FormatDetection.FindSeparatorLine(text, out var delimiter);
        var records = text[separatorLine..];
        var lineEnd = FormatDetection.DetectLineEnd(records);
        if (separatorLine == 0)
            delimiter = options.Delimiter ?? FormatDetection.DetectDelimiter(records, lineEnd);
        return format with
        {
            PreambleLength = format.PreambleLength + (int)source.LengthInSource(text[..separatorLine]),
            PreambleLines = separatorLine > 0 ? 1 : 0,
            Delimiter = delimiter,
            LineEnd = lineEnd,
        };
    }

    private int ReadBytes(Span<byte> target) =>
        _compressed?.Read(target) ?? _file.Read(target[..(int)Math.Clamp(FileLength - _file.Position, 0, target.Length)]);
}
