using Npgsql;

namespace Sagas.Services.Operations.Reads;

/// <summary>A file.</summary>
/// <param name="FileId">Its id.</param>
/// <param name="Kind">customers or alerts.</param>
/// <param name="Name">Its name.</param>
/// <param name="State">pending, running, completed, failed or invalid.</param>
/// <param name="Rows">Rows processed.</param>
/// <param name="Rejected">Rows that are invalid.</param>
/// <param name="Added">Rows that added something.</param>
/// <param name="Changed">Rows that changed something.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Reason">Why it failed or is invalid.</param>
/// <param name="AcceptedAt">When it was submitted.</param>
/// <param name="Took">How long it has been read for.</param>
public sealed record FileView(
    Guid FileId,
    string Kind,
    string Name,
    string State,
    long Rows,
    long Rejected,
    long Added,
    long Changed,
    long Length,
    string? Reason,
    DateTimeOffset AcceptedAt,
    TimeSpan? Took
)
{
    /// <summary>Rows a second; null: not known yet.</summary>
    public double? RowsPerSecond => Took is { TotalSeconds: > 0 } took && Rows > 0 ? Rows / took.TotalSeconds : null;
}

/// <summary>A rejected row.</summary>
/// <param name="Line">Its line.</param>
/// <param name="Column">The column; null: the row as a whole.</param>
/// <param name="Reason">What is wrong.</param>
/// <param name="Record">The row.</param>
public sealed record FileReject(long Line, string? Column, string Reason, string Record);

/// <summary>Reads files for pages and API.</summary>
internal sealed class FileReader(NpgsqlDataSource database)
{
    public Task<IReadOnlyList<FileView>> NewestAsync(DateTimeOffset? before, int limit, CancellationToken cancellationToken) =>
        database.RowsAsync(
            "SELECT * FROM files_overview WHERE accepted_at < coalesce($1::timestamptz, 'infinity') LIMIT $2",
            Read,
            cancellationToken,
            before,
            limit
        );

    public Task<FileView?> FindAsync(Guid fileId, CancellationToken cancellationToken) =>
        database.RowAsync<FileView>("SELECT * FROM files_overview WHERE file_id = $1", Read, cancellationToken, fileId);

    /// <summary>Rejected rows in the order of the file.</summary>
    public Task<IReadOnlyList<FileReject>> RejectsAsync(
        Guid fileId,
        long afterLine,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.RowsAsync(
            """
            SELECT line, column_name, reason, record FROM file_reject WHERE file_id = $1 AND line > $2 ORDER BY line LIMIT $3
            """,
            row => new FileReject(row.Long("line"), row.OptionalText("column_name"), row.Text("reason"), row.Text("record")),
            cancellationToken,
            fileId,
            afterLine,
            limit
        );

    private static FileView Read(NpgsqlDataReader row) =>
        new(
            row.Id("file_id"),
            row.Text("kind"),
            row.Text("name"),
            row.Text("state"),
            row.Long("rows"),
            row.Long("rejected"),
            row.Long("added"),
            row.Long("changed"),
            row.Long("length"),
            row.OptionalText("reason"),
            row.Time("accepted_at"),
            row.IsDBNull(row.GetOrdinal("took")) ? null : row.GetTimeSpan(row.GetOrdinal("took"))
        );
}
