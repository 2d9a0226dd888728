namespace Sagas.FileIntake.Records;

/// <summary>Finds the end of a record and its fields.</summary>
/// <param name="delimiter">Separates fields.</param>
/// <param name="lineEnd">Ends records: a line feed, with any carriage returns before it, or a carriage return.</param>
/// <param name="maxFields">The most fields of a record.</param>
internal sealed class FieldSplitter(byte delimiter, byte lineEnd, int maxFields)
{
    private const byte Quote = (byte)'"';
    private const byte LineFeed = (byte)'\n';
    private const byte CarriageReturn = (byte)'\r';

    private readonly byte _stray = lineEnd == LineFeed ? CarriageReturn : LineFeed;
    private readonly List<FieldPlace> _places = new(16);
    private byte[] _unescaped = [];
    private int _unescapedLength;

    public int Count => _places.Count;

    public RecordProblem Problem { get; private set; }

    /// <summary>The field with the problem, from 1; 0 for the record as a whole.</summary>
    public int ProblemField { get; private set; }

    /// <summary>For a record whose end was not found: whether the text ends within quotes.</summary>
    public bool IsInQuotes { get; private set; }

    /// <summary>Splits the record at the start of a text.</summary>
    /// <param name="text">One record or more, or the beginning of one.</param>
    /// <param name="isWhole">Whether the file ends with the text.</param>
    /// <returns>The record's length with its line break; negative when its end is not in the text.</returns>
    public int Split(ReadOnlySpan<byte> text, bool isWhole)
    {
        _places.Clear();
        _unescapedLength = 0;
        (Problem, ProblemField, IsInQuotes) = (RecordProblem.None, 0, false);
        for (var start = 0; ; start++)
        {
            start = OpeningQuote(text, start) is >= 0 and var quote ? Quoted(text, quote, isWhole) : Plain(text, start, isWhole);
            if (start < 0 || start == text.Length)
                return start;
            if (text[start] == lineEnd)
                return start + 1;
        }
    }

    /// <summary>Whether a field of the last record was in quotes.</summary>
    /// <param name="index">From 0.</param>
    public bool IsQuoted(int index) => _places[index].IsQuoted;

    /// <summary>A field of the last record.</summary>
    /// <param name="text">The text that was split.</param>
    /// <param name="index">From 0.</param>
    public ReadOnlySpan<byte> Field(ReadOnlySpan<byte> text, int index)
    {
        var place = _places[index];
        var field = text.Slice(place.Start, place.Length);
        return place.HasQuotes ? Unescape(field) : field;
    }

    // Some writers put blanks between the delimiter and the quote.
    private static int OpeningQuote(ReadOnlySpan<byte> text, int start)
    {
        while (start < text.Length && text[start] == (byte)' ')
            start++;
        return start < text.Length && text[start] == Quote ? start : -1;
    }

    // Ends at a delimiter or line break, or with the file; a quote in the middle is text.
    private int Plain(ReadOnlySpan<byte> text, int start, bool isWhole)
    {
        var rest = text[start..];
        var length = rest.IndexOfAny(delimiter, lineEnd, _stray);
        var stray = length >= 0 && rest[length] == _stray ? length : -1;
        if (stray >= 0)
            length = rest[stray..].IndexOfAny(delimiter, lineEnd) is >= 0 and var after ? stray + after : -1;
        if (length < 0 && !isWhole)
            return -1;
        var endsLine = length < 0 || rest[length] == lineEnd;
        if (length < 0)
            length = rest.Length;
        var field = rest[..length];
        // Programs that write a carriage return before each end of a line may write one too many.
        if (stray >= 0 && endsLine && _stray == CarriageReturn)
            field = field.TrimEnd(CarriageReturn);
        if (stray >= 0 && stray < field.Length)
            Fail(RecordProblem.StrayLineBreak, Count + 1);
        Add(start, field.Length);
        return start + length;
    }

    // Without the quotes; two quotes within stand for one.
    private int Quoted(ReadOnlySpan<byte> text, int start, bool isWhole)
    {
        IsInQuotes = true;
        var hasQuotes = false;
        var end = start + 1;
        while (true)
        {
            var next = text[end..].IndexOf(Quote);
            if (next < 0)
            {
                if (isWhole)
                    Fail(RecordProblem.QuoteNotClosed, Count + 1);
                return isWhole ? text.Length : -1;
            }
            end += next;
            if (end + 1 == text.Length || text[end + 1] != Quote)
                break;
            hasQuotes = true;
            end += 2;
        }
        var after = end + 1;
        while (after < text.Length && text[after] == (byte)' ')
            after++;
        while (lineEnd == LineFeed && after < text.Length && text[after] == CarriageReturn)
            after++;
        // The next byte decides whether this quote closes the field.
        if (after == text.Length && !isWhole)
            return -1;
        IsInQuotes = false;
        Add(start + 1, end - start - 1, hasQuotes, isQuoted: true);
        var ends = after == text.Length || text[after] == lineEnd;
        if (!ends && (text[after] != delimiter || text[after - 1] == CarriageReturn))
        {
            Fail(RecordProblem.TextAfterQuote, Count);
            return text.Length;
        }
        return after;
    }

    private void Add(int start, int length, bool hasQuotes = false, bool isQuoted = false)
    {
        if (_places.Count < maxFields)
            _places.Add(new FieldPlace(start, length, hasQuotes, isQuoted));
        else
            Fail(RecordProblem.TooManyFields, 0);
    }

    private void Fail(RecordProblem problem, int field)
    {
        if (Problem == RecordProblem.None)
            (Problem, ProblemField) = (problem, field);
    }

    // Appends after the record's other unescaped fields, whose spans may still be in use.
    private ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> field)
    {
        if (_unescaped.Length - _unescapedLength < field.Length)
            (_unescaped, _unescapedLength) = (new byte[Math.Max(field.Length, _unescaped.Length) * 2], 0);
        var start = _unescapedLength;
        while (!field.IsEmpty)
        {
            var quote = field.IndexOf(Quote);
            var run = quote < 0 ? field.Length : quote + 1;
            field[..run].CopyTo(_unescaped.AsSpan(_unescapedLength));
            _unescapedLength += run;
            field = quote < 0 ? [] : field[(run + 1)..];
        }
        return _unescaped.AsSpan(start, _unescapedLength - start);
    }

    private readonly record struct FieldPlace(int Start, int Length, bool HasQuotes, bool IsQuoted);
}
