using Sagas.FileIntake.Storage;

namespace Sagas.FileIntake;

/// <summary>A file as HTTP shows it.</summary>
/// <param name="Id">The file's id.</param>
/// <param name="Kind">What its rows are: <c>customers</c> or <c>alerts</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="State"><c>pending</c>, <c>running</c>, <c>completed</c>, <c>failed</c> or <c>invalid</c>.</param>
/// <param name="Reason">Why it failed or is invalid.</param>
/// <param name="Rows">Rows processed, rejected ones included.</param>
/// <param name="Added">Rows that added something new.</param>
/// <param name="Changed">Rows that changed something known.</param>
/// <param name="Unchanged">Rows that changed nothing.</param>
/// <param name="Rejected">Rows that are invalid; <c>/rejects</c> of the file returns them.</param>
/// <param name="AcceptedAt">When it was first submitted.</param>
/// <param name="StartedAt">When reading started.</param>
/// <param name="FinishedAt">When it completed, failed or was found invalid.</param>
public sealed record FileStatus(
    Guid Id,
    string Kind,
    string Name,
    long Length,
    string State,
    string? Reason,
    long Rows,
    long Added,
    long Changed,
    long Unchanged,
    long Rejected,
    DateTimeOffset AcceptedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt
)
{
    internal static FileStatus Of(IncomingFile file) =>
        new(
            file.FileId,
            file.Kind,
            file.Name,
            file.Length,
            file.State.ToString().ToLowerInvariant(),
            file.Reason,
            file.Counts.Rows,
            file.Counts.Added,
            file.Counts.Changed,
            file.Counts.Unchanged,
            file.Counts.Rejected,
            file.AcceptedAt,
            file.StartedAt,
            file.FinishedAt
        );
}
