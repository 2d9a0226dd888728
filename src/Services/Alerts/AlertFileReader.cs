using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;
using Sagas.Services.Messages;

namespace Sagas.Services.Alerts;

/// <summary>Reads files of <c>userId,alertMessage</c>, with or without a header.</summary>
internal sealed class AlertFileReader : IDisposable
{
    private const int MaxRowBytes = 32 * 1024;

    private static readonly FileColumn[] _columns =
    [
        new("userId", IsRequired: true, "user_id", "user"),
        new("alertMessage", IsRequired: true, "alert_message", "message", "alert", "text"),
    ];

    private static RecordReaderOptions Options => new() { Delimiter = ',', MaxRecordBytes = MaxRowBytes };

    private readonly RecordReader _records;
    private readonly int _user;
    private readonly int _message = 1;
    private readonly int _fields = 2;

    private AlertFileReader(RecordReader records, HeaderMap? header, RecordPosition from)
    {
        _records = records;
        if (header is not null)
            (_user, _message, _fields) = (header.FieldOf("userId"), header.FieldOf("alertMessage"), header.Names.Count);
        else
            records.MoveTo(RecordPosition.Start);
        if (from.Offset > records.Next.Offset)
            records.MoveTo(from);
    }

    /// <summary>Where the next row starts.</summary>
    public RecordPosition Next => _records.Next;

    /// <summary>How much of the file has been read, from 0 to 1.</summary>
    public double Fraction => _records.FileLength == 0 ? 1 : (double)_records.FilePosition / _records.FileLength;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="from">Where to continue.</param>
    /// <param name="problem">What is wrong with the header.</param>
    /// <returns>Null when the header is invalid.</returns>
    /// <exception cref="InvalidDataException">The compressed file is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static AlertFileReader? Open(string path, RecordPosition from, out string? problem)
    {
        var records = RecordReader.Open(path, Options);
        try
        {
            problem = null;
            var header = records.Read() ? ReadHeader(records, out problem) : null;
            if (problem is null)
                return new AlertFileReader(records, header, from);
            records.Dispose();
            return null;
        }
        catch
        {
            records.Dispose();
            throw;
        }
    }

    /// <summary>Whether a file begins with the header of a file of alerts.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The compressed file is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static bool HasHeader(string path)
    {
        using var records = RecordReader.Open(path, Options);
        return records.Read() && ReadHeader(records, out _) is not null;
    }

    /// <summary>Reads the next row.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">The compressed file is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public bool Read(out AlertRow row)
    {
        row = default;
        if (!_records.Read())
            return false;
        var line = _records.Position.Line;
        row = Check(out var alert) is { } reason
            ? new(line, null, new RejectedRow(line, null, reason, _records.Excerpt()))
            : new(line, alert, null);
        return true;
    }

    /// <inheritdoc />
    public void Dispose() => _records.Dispose();

    // A first record with the names of both columns is a header. One with only the user's is a mistake rather than an alert to a
    // user with
    // the id "userId".
    private static HeaderMap? ReadHeader(RecordReader records, out string? problem)
    {
        problem = null;
        if (records.Problem != RecordProblem.None)
            return null;
        var names = Enumerable.Range(0, records.FieldCount).Select(records.Text).ToArray();
        if (HeaderMap.Read(names, _columns, out var invalid) is { } header)
            return header;
        if (names.Any(name => HeaderMap.Read([name], [_columns[0]], out _) is not null))
            problem = invalid;
        return null;
    }

    private string? Check(out AlertRequest? alert)
    {
        alert = null;
        if (_records.Problem != RecordProblem.None)
            return Describe(_records.Problem, _records.ProblemField);
        if (_records.FieldCount != _fields)
            return $"The row has {_records.FieldCount} fields where {_fields} are expected; quote a message with a comma.";
        var user = _records.Text(_user).Trim();
        if (Identifiers.Problem(user) is not null)
            return $"The user id must have 1 to {Identifiers.MaxLength} characters and no control characters.";
        var message = _records.Text(_message);
        if (AlertMessageRules.Problem(message) is not null)
            return $"The message must have 1 to {AlertMessageRules.MaxLength} characters and no U+0000.";
        alert = new AlertRequest(user, message);
        return null;
    }

    private static string Describe(RecordProblem problem, int field) =>
        problem switch
        {
            RecordProblem.TooLong => $"The row is longer than {MaxRowBytes:N0} bytes.",
            RecordProblem.QuoteNotClosed => $"The quote that opens field {field} is never closed.",
            RecordProblem.TextAfterQuote => $"Text follows the quote that closes field {field}.",
            RecordProblem.TooManyFields => "The row has too many fields.",
            _ => "The row is not valid text in the file's encoding.",
        };
}
