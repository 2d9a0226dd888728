using System.Text;
using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;
using Sagas.Services.Ingest;

namespace Sagas.Services.Alerts;

/// <summary>Reads files of <c>userId,alertMessage</c>, with or without a header.</summary>
internal sealed class AlertFileReader : IDisposable
{
    private const int MaxRowBytes = 32 * 1024;

    private static readonly TableColumns _columns = new([
        new("userId", IsRequired: true, "user_id", "user"),
        new("alertMessage", IsRequired: true, "alert_message", "message", "alert", "text"),
    ])
    {
        IsHeaderOptional = true,
        OfOtherKinds = CustomerColumns.All,
    };

    private readonly TableReader _table;
    private readonly int _user;
    private readonly int _message;

    private AlertFileReader(TableReader table, RecordPosition from)
    {
        _table = table;
        (_user, _message) = (table.Header.FieldOf("userId"), table.Header.FieldOf("alertMessage"));
        if (from.Offset > table.Next.Offset)
            table.MoveTo(from);
    }

    /// <summary>Where the next row starts.</summary>
    public RecordPosition Next => _table.Next;

    /// <summary>Whether the file ends with the current row, without a line break.</summary>
    public bool IsCut => _table.IsCut;

    /// <summary>How much of the file has been read, from 0 to 1.</summary>
    public double Fraction => _table.FileLength == 0 ? 1 : (double)_table.FilePosition / _table.FileLength;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="length">How much of it is read, in bytes; null: all.</param>
    /// <param name="from">Where to continue.</param>
    /// <param name="problem">Why the file is refused, a sentence.</param>
    /// <returns>Null when the file is refused.</returns>
    /// <exception cref="InvalidDataException">The compressed file is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static AlertFileReader? Open(string path, long? length, RecordPosition from, out string? problem)
    {
        var table = TableReader.Open(path, Options(length), _columns, out problem);
        return table is null ? null : new AlertFileReader(table, from);
    }

    /// <summary>Whether a file begins with the header of a file of alerts.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The compressed file is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static bool HasHeader(string path)
    {
        using var table = TableReader.Open(path, Options(null), _columns, out _);
        return table is { Header.IsAssumed: false };
    }

    /// <summary>Reads the next row.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">The compressed file is damaged, or another header follows.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public bool Read(out AlertRow row)
    {
        row = default;
        if (!_table.Read())
            return false;
        var line = _table.Position.Line;
        row = Check(out var alert) is { } reason
            ? new(line, null, new RejectedRow(line, null, reason, _table.Excerpt()))
            : new(line, alert, null);
        return true;
    }

    /// <summary>Reads the next row.</summary>
    /// <returns>False at the end, or where the file is damaged.</returns>
    public bool TryRead(out AlertRow row)
    {
        try
        {
            return Read(out row);
        }
        catch (InvalidDataException)
        {
            row = default;
            return false;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _table.Dispose();

    private static RecordReaderOptions Options(long? length) => new() { MaxRecordBytes = MaxRowBytes, Length = length };

    private string? Check(out AlertRequest? alert)
    {
        alert = null;
        if (_table.RowProblem is { } problem)
            return _table.ProblemField > 0 ? $"Field {_table.ProblemField}: {problem}." : Sentence(problem);
        var user = _table.Trimmed(_user);
        if (_table.ProblemOfIdentifier(_user, user) is { } userProblem)
            return $"The user id {userProblem}.";
        var message = _table.Text(_message);
        if (Cell.Trim(message).IsEmpty)
            return "The message is empty.";
        if (message.Length > AlertMessageRules.MaxLength && Encoding.UTF8.GetCharCount(message) > AlertMessageRules.MaxLength)
            return $"The message is longer than {AlertMessageRules.MaxLength} characters.";
        if (Cell.ProblemOfText(message) is { } messageProblem)
            return $"The message {messageProblem}.";
        alert = new AlertRequest(Encoding.UTF8.GetString(user), Encoding.UTF8.GetString(message));
        return null;
    }

    private static string Sentence(string problem) =>
        problem.StartsWith("has ", StringComparison.Ordinal)
            ? $"The row {problem}; quote a message that contains the delimiter."
            : $"{char.ToUpperInvariant(problem[0])}{problem[1..]}.";
}
