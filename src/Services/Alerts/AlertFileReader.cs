using Sagas.Services.Files;

namespace Sagas.Services.Alerts;

/// <summary>A row of a file: an alert, or why it is none.</summary>
/// <param name="Line">The line at which it starts.</param>
/// <param name="Alert">The alert; null: it is rejected.</param>
/// <param name="Rejected">Why it is rejected.</param>
internal readonly record struct AlertRow(long Line, AlertRequest? Alert, RejectedRow? Rejected);

/// <summary>Reads files of <c>userId,alertMessage</c>, with or without a header.</summary>
internal sealed class AlertFileReader : IDisposable
{
    private const int LongestUserId = 128;
    private const int LongestMessage = 4096;
    private const int LongestRecord = 32 * 1024;

    private static readonly FileColumn[] _columns =
    [
        new("userId", IsRequired: true, "user_id", "user"),
        new("alertMessage", IsRequired: true, "alert_message", "message", "alert", "text"),
    ];

    private readonly RecordReader _records;
    private readonly int _user;
    private readonly int _message = 1;
    private readonly int _fields = 2;

    private AlertFileReader(RecordReader records, RecordPosition from)
    {
        _records = records;
        if (records.Read() && ReadHeader(records) is { } header)
            (_user, _message, _fields) = (header.FieldOf("userId"), header.FieldOf("alertMessage"), header.Names.Count);
        else
            records.MoveTo(RecordPosition.Start);
        // A header was read again, or there is none: the place to go on at is never before it.
        if (from.Offset > records.Next.Offset)
            records.MoveTo(from);
    }

    /// <summary>Where the next row starts.</summary>
    public RecordPosition Next => _records.Next;

    /// <summary>How much of the file has been read, from 0 to 1.</summary>
    public double Share => _records.FileLength == 0 ? 1 : (double)_records.FilePosition / _records.FileLength;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="from">Where to go on.</param>
    /// <exception cref="InvalidDataException">It cannot be used: what its header says, or a damaged archive.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static AlertFileReader Open(string path, RecordPosition from)
    {
        var records = RecordReader.Open(path, new RecordReaderOptions { Delimiter = ',', MaxRecordLength = LongestRecord });
        try
        {
            return new AlertFileReader(records, from);
        }
        catch
        {
            records.Dispose();
            throw;
        }
    }

    /// <summary>Reads the next row.</summary>
    /// <param name="row">The row.</param>
    /// <returns>False: the end.</returns>
    /// <exception cref="InvalidDataException">The archive is damaged.</exception>
    /// <exception cref="IOException">It cannot be read any more.</exception>
    public bool Read(out AlertRow row)
    {
        row = default;
        if (!_records.Read())
            return false;
        var line = _records.Position.Line;
        row = Check(out var alert) is { } reason ? new(line, null, new RejectedRow(line, null, reason, _records.Excerpt())) : new(line, alert, null);
        return true;
    }

    /// <inheritdoc />
    public void Dispose() => _records.Dispose();

    // A first record with the columns' names is a header. One with only some of them is a mistake, not an alert to a user
    // whose id is "userId".
    private static HeaderMap? ReadHeader(RecordReader records)
    {
        if (records.Problem != RecordProblem.None)
            return null;
        var names = Enumerable.Range(0, records.FieldCount).Select(records.Text).ToArray();
        if (HeaderMap.Read(names, _columns, out var problem) is { } header)
            return header;
        return names.Any(name => HeaderMap.Read([name], [_columns[0]], out _) is not null) ? throw new InvalidDataException(problem) : null;
    }

    private string? Check(out AlertRequest? alert)
    {
        alert = null;
        if (_records.Problem != RecordProblem.None)
            return Describe(_records.Problem, _records.ProblemField);
        if (_records.FieldCount != _fields)
            return $"It has {_records.FieldCount} fields where {_fields} are expected; a message with a comma stands in quotes.";
        var user = _records.Text(_user).Trim();
        if (user.Length is 0 or > LongestUserId || user.Any(char.IsControl))
            return $"The user id must have 1 to {LongestUserId} characters and no control characters.";
        var message = _records.Text(_message);
        if (string.IsNullOrWhiteSpace(message) || message.Length > LongestMessage || message.Contains('\0'))
            return $"The message must have 1 to {LongestMessage} characters and no U+0000.";
        alert = new AlertRequest(user, message);
        return null;
    }

    private static string Describe(RecordProblem problem, int field) => problem switch
    {
        RecordProblem.TooLong => $"It is longer than {LongestRecord:N0} bytes.",
        RecordProblem.QuoteNotClosed => $"The quote that opens field {field} is never closed.",
        RecordProblem.TextAfterQuote => $"Text follows the quote that closes field {field}.",
        RecordProblem.TooManyFields => "It has too many fields.",
        _ => "It is no text in the file's encoding.",
    };
}
