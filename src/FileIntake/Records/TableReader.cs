namespace Sagas.FileIntake.Records;

/// <summary>
/// Reads the rows of a file with named columns, as spreadsheets, exporters and concatenation make them. A header that comes
/// again within the file is skipped. Where it is not certain what the file means, it is refused.
/// </summary>
public sealed class TableReader : IDisposable
{
    private readonly RecordReader _records;
    private readonly TableColumns _columns;
    private readonly HeaderMap _header;
    private readonly ColumnNames _names;
    private readonly int _identifier;
    private InvalidDataException? _damage;
    private string? _rowProblem;

    private TableReader(RecordReader records, TableColumns columns, HeaderMap header)
    {
        (_records, _columns, _header) = (records, columns, header);
        _names = new ColumnNames(columns.Columns);
        _identifier = header.FieldOf(columns.Identifier.Name);
    }

    /// <summary>The columns of the file.</summary>
    public HeaderMap Header => _header;

    /// <summary>The line on which the current row starts.</summary>
    public RecordPosition Position => _records.Position;

    /// <summary>Where the next row starts; reading can continue here later.</summary>
    public RecordPosition Next => _damage is null ? _records.Next : _records.Position;

    /// <summary>Whether the file ends with the current row, without a line break.</summary>
    public bool IsCut => _records.IsCut;

    /// <summary>The format of the file.</summary>
    public TextFormat Format => _records.Format;

    /// <summary>Length of the file on disk, in bytes.</summary>
    public long FileLength => _records.FileLength;

    /// <summary>How many bytes of the file on disk have been read, for a progress display.</summary>
    public long FilePosition => _records.FilePosition;

    /// <summary>What is wrong with the current row as a whole, or with the quotes of one field; null when it has cells.</summary>
    public string? RowProblem => _rowProblem;

    /// <summary>The field with <see cref="RowProblem"/>, from 1; 0 for the row as a whole.</summary>
    public int ProblemField => _records.Problem == RecordProblem.None ? 0 : _records.ProblemField;

    /// <summary>Opens a file and reads its header.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How to read.</param>
    /// <param name="columns">The columns of this kind of file.</param>
    /// <param name="problem">Why the file is refused, a sentence.</param>
    /// <returns>Null when the file is refused.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read the file is missing.</exception>
    /// <exception cref="InvalidDataException">The file is compressed and damaged.</exception>
    public static TableReader? Open(string path, RecordReaderOptions options, TableColumns columns, out string? problem)
    {
        var records = RecordReader.Open(path, options);
        try
        {
            if (HeaderReader.Read(records, columns, out problem) is { } header)
                return new TableReader(records, columns, header);
            records.Dispose();
            return null;
        }
        catch
        {
            records.Dispose();
            throw;
        }
    }

    /// <summary>Continues at a position that was <see cref="Next"/> before.</summary>
    public void MoveTo(RecordPosition position) => _records.MoveTo(position);

    /// <summary>Reads the next row.</summary>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="IOException">The file cannot be read any more.</exception>
    /// <exception cref="InvalidDataException">The compressed file is damaged, or another header follows; <see cref="Next"/>
    /// stays before it.</exception>
    public bool Read()
    {
        if (_damage is not null)
            throw _damage;
        while (_records.Read())
        {
            _rowProblem = FindRowProblem();
            if (_rowProblem is null && _names.Contains(_records.Field(_identifier)) && IsHeaderAgain())
                continue;
            return true;
        }
        return false;
    }

    /// <summary>A cell of the current row as it is in the file, without its quotes.</summary>
    /// <param name="field">From 0.</param>
    /// <returns>UTF-8, valid until the next row is read.</returns>
    public ReadOnlySpan<byte> Text(int field) => field < 0 ? default : Cell.Unwrap(_records.Field(field));

    /// <summary>A cell of the current row without white space and invisible characters around it; empty for a column that
    /// the file does not have.</summary>
    /// <inheritdoc cref="Text"/>
    public ReadOnlySpan<byte> Trimmed(int field) =>
        field < 0 ? default : Cell.Trim(Cell.Unwrap(Cell.Trim(_records.Field(field))));

    /// <summary>What is wrong with an identifier of the current row, the end of a sentence; null when it can be used.</summary>
    /// <param name="field">Its field, from 0.</param>
    /// <param name="identifier">The cell, trimmed.</param>
    public string? ProblemOfIdentifier(int field, ReadOnlySpan<byte> identifier)
    {
        if (Cell.ProblemOfIdentifier(identifier) is { } problem)
            return problem;
        if (!_records.IsQuoted(field) && identifier.ContainsAny(Cell.Delimiters))
            return "contains a delimiter; quote it if that is right";
        return _names.Contains(identifier) && _names.IsNameOf(_columns.Identifier, identifier) ? "is the name of a column" : null;
    }

    /// <summary>The current row as it is in the file, for people.</summary>
    public string Excerpt() => _records.Excerpt();

    /// <inheritdoc />
    public void Dispose() => _records.Dispose();

    private string? FindRowProblem()
    {
        if (_records.Problem != RecordProblem.None)
            return Describe(_records.Problem);
        var expected = _header.Names.Count;
        if (_records.FieldCount == expected || (_records.FieldCount > expected && AreEmptyFrom(expected)))
            return null;
        return $"has {_records.FieldCount} fields where {(_header.IsAssumed ? "" : "the header has ")}{expected}"
            + (_header.IsAssumed ? " are expected" : "");
    }

    // Spreadsheets write a delimiter for every column that was ever used.
    private bool AreEmptyFrom(int field)
    {
        for (; field < _records.FieldCount; field++)
        {
            if (!Cell.Trim(_records.Field(field)).IsEmpty)
                return false;
        }
        return true;
    }

    private bool IsHeaderAgain()
    {
        var names = HeaderReader.Names(_records);
        if (HeaderMap.Read(names, _columns.Columns, out _) is not { } header)
            return false;
        if (
            names.Count == _header.Names.Count
            && _columns.Columns.All(column => header.FieldOf(column.Name) == _header.FieldOf(column.Name))
        )
            return true;
        _damage = new InvalidDataException(
            $"Line {_records.Position.Line} is a header with other columns than the first: split the file there."
        );
        throw _damage;
    }

    private static string Describe(RecordProblem problem) =>
        problem switch
        {
            RecordProblem.TooLong => "the row is too long",
            RecordProblem.QuoteNotClosed => "a quote is opened and never closed",
            RecordProblem.TextAfterQuote => "text follows the quote that closes the field",
            RecordProblem.TooManyFields => "the row has too many fields",
            RecordProblem.StrayLineBreak => "the row has a line break of another kind than the file's, outside quotes",
            _ => "the row is not valid text in the encoding of the file",
        };
}
