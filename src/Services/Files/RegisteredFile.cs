namespace Sagas.Services.Files;

/// <summary>How far a file has come.</summary>
public enum FileState
{
    /// <summary>It is known, and nobody has read it yet.</summary>
    Waiting,

    /// <summary>It is being read, or whoever read it was killed; then it goes on where it was.</summary>
    Running,

    /// <summary>All its rows are done.</summary>
    Done,

    /// <summary>It goes on where it was when it is started again.</summary>
    Stopped,

    /// <summary>It cannot be used as a whole.</summary>
    Refused,
}

/// <summary>A file that came in.</summary>
/// <param name="FileId">The file; also the conversation of all that follows from it.</param>
/// <param name="Kind">What its rows are.</param>
/// <param name="Name">What it was called when it first came in.</param>
/// <param name="Hash">Its <see cref="ContentHash"/>.</param>
/// <param name="Path">Where an upload is on the disk of the process that took it; null: the file came another way.</param>
/// <param name="Length">In bytes.</param>
/// <param name="State">How far it has come.</param>
/// <param name="Reason">Why it was stopped or refused.</param>
/// <param name="AcceptedAt">When it came in, UTC: the time of rows that do not tell their own.</param>
/// <param name="StartedAt">When it was first read, UTC.</param>
/// <param name="FinishedAt">When it was done, stopped or refused, UTC.</param>
/// <param name="Counts">What has been done of it.</param>
public sealed record RegisteredFile(
    Guid FileId, string Kind, string Name, string Hash, string? Path, long Length, FileState State, string? Reason,
    DateTimeOffset AcceptedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, FileCounts Counts);

/// <summary>What has been done of a file.</summary>
/// <param name="Rows">Rows done, rejected ones among them.</param>
/// <param name="Rejected">Rows that were not taken.</param>
/// <param name="Added">Rows that made something that was not known.</param>
/// <param name="Changed">Rows that changed something that was known.</param>
public readonly record struct FileCounts(long Rows, long Rejected, long Added, long Changed)
{
    /// <summary>Rows that told nothing new.</summary>
    public long Unchanged => Rows - Rejected - Added - Changed;

    /// <summary>The sum of two counts.</summary>
    public static FileCounts operator +(FileCounts left, FileCounts right) => new(
        left.Rows + right.Rows, left.Rejected + right.Rejected, left.Added + right.Added, left.Changed + right.Changed);
}

/// <summary>How far a lane of a file has come: the part of the rows that one connection works on.</summary>
/// <param name="Lane">From 0.</param>
/// <param name="Next">All rows of the lane before this place are done.</param>
/// <param name="Counts">What has been done.</param>
public sealed record LaneProgress(int Lane, RecordPosition Next, FileCounts Counts);

/// <summary>A row that is not taken.</summary>
/// <param name="Line">The line on which it starts, from 1.</param>
/// <param name="Column">The column, as the file calls it; null: the row as a whole.</param>
/// <param name="Reason">What is wrong.</param>
/// <param name="Record">The row as it is in the file.</param>
public sealed record RejectedRow(long Line, string? Column, string Reason, string Record);
