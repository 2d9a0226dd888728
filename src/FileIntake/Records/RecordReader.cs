using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Sagas.FileIntake.Records;

/// <summary>
/// Reads the records of a delimited file (RFC 4180) in constant memory, with the byte offset and line of each. Reading can
/// continue at any of these positions later. A record that cannot be read has a <see cref="Problem"/>, and the records after
/// it are read.
/// </summary>
/// <remarks>
/// CsvHelper is not used: it allocates a string for every field, counts bytes by encoding each character again, and has no
/// offset in UTF-16 or after a quote that is never closed. Here fields are slices of the buffer until a string is asked for.
/// Not safe for concurrent use. Skipped are blank lines, those of nothing but delimiters included, and what the concatenation
/// of files leaves at the start of a record: a byte order mark, or the end-of-file character U+001A. Reading is synchronous,
/// since asynchronous reads from a disk free no thread.
/// </remarks>
public sealed class RecordReader : IDisposable
{
    private const int ExcerptLength = 1000;
    private const byte EndOfText = 0x1A;

    private readonly byte _lineEnd;
    private readonly SearchValues<byte> _blank;
    private readonly TextSource _source;
    private readonly RecordReaderOptions _options;
    private readonly FieldSplitter _fields;
    private readonly byte[] _buffer;
    private int _start;
    private int _end;
    private bool _atEnd;
    private byte[] _excerpt = [];

    // The text of the current record: a slice of the buffer, unless the record was decoded on its own.
    private byte[] _text;
    private int _textStart;
    private int _textLength;

    private RecordReader(TextSource source, RecordReaderOptions options)
    {
        _source = source;
        _options = options;
        var delimiter = (byte)source.Format.Delimiter;
        _lineEnd = (byte)source.Format.LineEnd;
        _blank = SearchValues.Create([delimiter, .. "\" \t"u8]);
        _fields = new FieldSplitter(delimiter, _lineEnd, options.MaxFields);
        _text = _buffer = new byte[options.MaxRecordBytes + TextSource.MinReadBytes + 2];
        MoveTo(RecordPosition.Start);
    }

    /// <summary>The detected format of the file.</summary>
    public TextFormat Format => _source.Format;

    /// <summary>Where the current record starts.</summary>
    public RecordPosition Position { get; private set; }

    /// <summary>Where the next record starts; reading can continue here later.</summary>
    public RecordPosition Next { get; private set; }

    /// <summary>What is wrong with the current record; a record with a problem has no fields.</summary>
    public RecordProblem Problem { get; private set; }

    /// <summary>The field with the problem, from 1; 0 for the record as a whole.</summary>
    public int ProblemField { get; private set; }

    /// <summary>Whether the file ends with the current record, without a line break.</summary>
    public bool IsCut { get; private set; }

    /// <summary>How many fields the current record has.</summary>
    public int FieldCount => Problem == RecordProblem.None ? _fields.Count : 0;

    /// <summary>Length of the file on disk, in bytes.</summary>
    public long FileLength => _source.FileLength;

    /// <summary>How many bytes of the file on disk have been read, for a progress display.</summary>
    public long FilePosition => Math.Min(_source.FilePosition, FileLength);

    /// <summary>Opens a file and detects its format.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How to read; null for the defaults.</param>
    /// <returns>A reader before the first record.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read the file is missing.</exception>
    /// <exception cref="InvalidDataException">The file is compressed and damaged.</exception>
    public static RecordReader Open(string path, RecordReaderOptions? options = null)
    {
        options ??= new RecordReaderOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxRecordBytes, 64);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxRecordBytes, 16 * 1024 * 1024);
        var source = TextSource.Open(path, options);
        try
        {
            return new RecordReader(source, options);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Continues at a position that was <see cref="Next"/> before; a compressed file is decompressed up to it
    /// again.</summary>
    /// <param name="position">The position.</param>
    public void MoveTo(RecordPosition position)
    {
        // The byte order mark is not part of a record.
        var offset = Math.Max(position.Offset, Format.PreambleLength);
        _source.MoveTo(offset);
        _start = _end = 0;
        _atEnd = false;
        var line = position.Offset < Format.PreambleLength ? 1 + Format.PreambleLines : position.Line;
        Position = Next = new RecordPosition(offset, line);
    }

    /// <summary>Reads the next record.</summary>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="IOException">The file cannot be read any more.</exception>
    /// <exception cref="InvalidDataException">The compressed file is damaged or cut off.</exception>
    public bool Read()
    {
        _excerpt = [];
        while (true)
        {
            Position = Next;
            var unread = _buffer.AsSpan(_start, _end - _start);
            if (unread.IsEmpty && _atEnd)
                return false;
            if (MarkLength(unread) is > 0 and var mark)
            {
                Advance(unread[..mark]);
                continue;
            }
            var end = _fields.Split(unread, _atEnd);
            // Only the first line of this record is skipped, so its end is needed.
            if (_fields.Problem == RecordProblem.TextAfterQuote && !_atEnd && !unread.Contains(_lineEnd))
                end = -1;
            if (end < 0 && unread.Length <= _options.MaxRecordBytes)
            {
                Fill();
                continue;
            }
            if (end < 0)
                SkipTooLong(unread);
            else if (!Accept(unread, end))
                continue;
            return true;
        }
    }

    /// <summary>A field of the current record, without its quotes, in UTF-8.</summary>
    /// <param name="index">From 0.</param>
    /// <returns>A slice of the reader's buffer, valid until the next call of <see cref="Read"/>.</returns>
    public ReadOnlySpan<byte> Field(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, FieldCount);
        return _fields.Field(_text.AsSpan(_textStart, _textLength), index);
    }

    /// <summary>Whether a field of the current record is in quotes.</summary>
    /// <param name="index">From 0.</param>
    public bool IsQuoted(int index) => _fields.IsQuoted(index);

    /// <summary>A field of the current record as a string, without its quotes.</summary>
    /// <param name="index">From 0.</param>
    public string Text(int index) => Encoding.UTF8.GetString(Field(index));

    /// <summary>The current record as it is in the file, for people: without its line break, and cut after 1,000 bytes.</summary>
    public string Excerpt()
    {
        var record = _excerpt.Length > 0 ? _excerpt : _text.AsSpan(_textStart, _textLength);
        record = record[..Math.Min(record.Length, ExcerptLength)];
        if (!Utf8.IsValid(record) && Problem == RecordProblem.InvalidText)
            return Encoding.Latin1.GetString(record).TrimEnd('\r', '\n');
        return Encoding.UTF8.GetString(record).TrimEnd('\r', '\n', '\uFFFD');
    }

    /// <inheritdoc />
    public void Dispose() => _source.Dispose();

    // False for a blank line.
    private bool Accept(ReadOnlySpan<byte> unread, int end)
    {
        (Problem, ProblemField) = (_fields.Problem, _fields.ProblemField);
        if (Problem is RecordProblem.QuoteNotClosed or RecordProblem.TextAfterQuote)
            end = FirstLine(unread[..end]);
        var record = unread[..end];
        (_text, _textStart, _textLength) = (_buffer, _start, end);
        IsCut = record[^1] != _lineEnd;
        if (record.Length > _options.MaxRecordBytes)
            (Problem, ProblemField) = (RecordProblem.TooLong, 0);
        Advance(record);
        if (record.TrimEnd("\r\n"u8).IndexOfAnyExcept(_blank) < 0 && Problem == RecordProblem.None)
            return false;
        if (Problem == RecordProblem.None && record.IndexOfAnyExceptInRange((byte)0, (byte)0x7F) >= 0 && !Utf8.IsValid(record))
            Decode(record);
        return true;
    }

    private void Advance(ReadOnlySpan<byte> record)
    {
        _start += record.Length;
        Next = new RecordPosition(Next.Offset + _source.LengthInSource(record), Next.Line + record.Count(_lineEnd));
    }

    private static int MarkLength(ReadOnlySpan<byte> text) =>
        text switch
        {
            [0xEF, 0xBB, 0xBF, ..] => 3,
            [EndOfText, ..] => 1,
            _ => 0,
        };

    private int FirstLine(ReadOnlySpan<byte> text) => text.IndexOf(_lineEnd) is >= 0 and var end ? end + 1 : text.Length;

    // The open quote may be a mistake on the first line, so the lines after it are read again. A line that is itself too long is
    // skipped without being buffered.
    private void SkipTooLong(ReadOnlySpan<byte> unread)
    {
        (Problem, ProblemField) = _fields.IsInQuotes
            ? (RecordProblem.QuoteNotClosed, _fields.Count + 1)
            : (RecordProblem.TooLong, 0);
        _excerpt = unread[..Math.Min(unread.Length, ExcerptLength)].ToArray();
        (_textStart, _textLength) = (_start, 0);
        var end = unread.IndexOf(_lineEnd);
        if (end >= 0)
            _excerpt = _excerpt[..Math.Min(_excerpt.Length, end)];
        else
            Problem = RecordProblem.TooLong;
        while (end < 0)
        {
            Advance(unread);
            if (_atEnd)
                return;
            Fill();
            unread = _buffer.AsSpan(_start, _end - _start);
            end = unread.IndexOf(_lineEnd);
        }
        Advance(unread[..(end + 1)]);
    }

    // A file that begins as ASCII and has bytes further on that are not UTF-8 is Windows-1252.
    private void Decode(ReadOnlySpan<byte> record)
    {
        if (Format.Encoding != TextEncoding.Ascii)
        {
            (Problem, ProblemField) = (RecordProblem.InvalidText, 0);
            return;
        }
        _text = Encoding.UTF8.GetBytes(TextSource.Windows1252.GetString(record));
        (_textStart, _textLength) = (0, _text.Length);
        _fields.Split(_text, isWhole: true);
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        var read = _source.Read(_buffer.AsSpan(_end));
        _end += read;
        _atEnd = read == 0;
    }
}
