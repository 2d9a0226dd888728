using System.Text;

namespace Sagas.Services.Files;

/// <summary>A file as a stream of UTF-8, whatever it is encoded in and whether or not it is compressed.</summary>
internal sealed class TextSource : IDisposable
{
    // Large reads: the records are taken out of them by the hundred.
    private const int RawLength = 64 * 1024;

    private readonly FileStream _file;
    private readonly Decoder? _decoder;
    private readonly byte[] _raw = [];
    private readonly char[] _characters = [];
    private readonly GzipContent? _compressed;
    private bool _flushed;

    private TextSource(FileStream file, TextFormat format)
    {
        _file = file;
        Format = format;
        _compressed = format.IsCompressed ? new GzipContent(file) : null;
        if (format.Encoding is TextEncoding.Windows1252 or TextEncoding.Utf16LittleEndian or TextEncoding.Utf16BigEndian)
            _raw = new byte[RawLength];
        if (format.Encoding is TextEncoding.Utf16LittleEndian or TextEncoding.Utf16BigEndian)
        {
            _decoder = new UnicodeEncoding(format.Encoding == TextEncoding.Utf16BigEndian, byteOrderMark: false).GetDecoder();
            _characters = new char[RawLength / 2 + 2];
        }
    }

    public TextFormat Format { get; }

    /// <summary>The least room that <see cref="Read"/> needs.</summary>
    public static int LeastRoom => RawLength * Windows1252.MaxExpansion;

    public long FileLength => _file.Length;

    public long FilePosition => _file.Position;

    public static TextSource Open(string path, char? delimiter)
    {
        // Windows does not let a file be renamed that is open, unless it is told so; a file is moved away while it is read here.
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        try
        {
            return new TextSource(file, Detect(file, delimiter));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads on.</summary>
    /// <param name="target">At least <see cref="LeastRoom"/> bytes.</param>
    /// <returns>Bytes of UTF-8; 0 at the end.</returns>
    /// <exception cref="InvalidDataException">The compressed file is damaged or cut off.</exception>
    public int Read(Span<byte> target)
    {
        if (_raw.Length == 0)
            return ReadBytes(target);
        var read = ReadBytes(_raw);
        if (_decoder is null)
            return Windows1252.ToUtf8(_raw.AsSpan(0, read), target);
        if (read == 0 && _flushed)
            return 0;
        _flushed = read == 0;
        var count = _decoder.GetChars(_raw.AsSpan(0, read), _characters, flush: _flushed);
        // An odd byte or half a character completes no character: that is not the end.
        if (count == 0)
            return _flushed ? 0 : Read(target);
        return Encoding.UTF8.GetBytes(_characters.AsSpan(0, count), target);
    }

    /// <summary>Reads on from an offset.</summary>
    /// <param name="offset">Bytes in the file, or, compressed, in what it decompresses to.</param>
    public void MoveTo(long offset)
    {
        _decoder?.Reset();
        _flushed = false;
        if (_compressed is null)
            _file.Position = offset;
        else
            _compressed.MoveTo(offset);
    }

    /// <summary>How many bytes of the file, or of what it decompresses to, became this text.</summary>
    public long LengthInSource(ReadOnlySpan<byte> utf8) => Format.Encoding switch
    {
        TextEncoding.Windows1252 => Encoding.UTF8.GetCharCount(utf8),
        TextEncoding.Utf16LittleEndian or TextEncoding.Utf16BigEndian => 2L * Encoding.UTF8.GetCharCount(utf8),
        _ => utf8.Length,
    };

    public void Dispose() => _file.Dispose();

    private static TextFormat Detect(FileStream file, char? delimiter)
    {
        Span<byte> start = stackalloc byte[3];
        var isCompressed = FormatDetection.IsGzip(start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
        file.Position = 0;
        var sample = new byte[FormatDetection.SampleLength];
        var (length, isWhole) = isCompressed ? ReadSample(new GzipContent(file), sample) : ReadSample(file, sample);
        file.Position = 0;
        var (encoding, preamble) = FormatDetection.DetectEncoding(sample.AsSpan(0, length), isWhole);
        var format = new TextFormat(encoding, preamble, delimiter ?? ',', isCompressed);
        return delimiter is null ? format with { Delimiter = DetectDelimiter(file, format, sample) } : format;
    }

    private static (int Length, bool IsWhole) ReadSample(FileStream file, Span<byte> sample)
    {
        var length = file.ReadAtLeast(sample, sample.Length, throwOnEndOfStream: false);
        return (length, length < sample.Length);
    }

    private static (int Length, bool IsWhole) ReadSample(GzipContent content, Span<byte> sample)
    {
        var length = content.Read(sample);
        return (length, length < sample.Length && !content.IsDamaged);
    }

    private static char DetectDelimiter(FileStream file, TextFormat format, byte[] sample)
    {
        // The source is not disposed of, because the file is not its own yet.
        var source = new TextSource(file, format);
        source.MoveTo(format.PreambleLength);
        var text = new byte[LeastRoom];
        var length = source.Read(text);
        file.Position = 0;
        return FormatDetection.DetectDelimiter(text.AsSpan(0, Math.Min(length, sample.Length)));
    }

    private int ReadBytes(Span<byte> target) => _compressed?.Read(target) ?? _file.Read(target);
}
