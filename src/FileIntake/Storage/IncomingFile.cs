namespace Sagas.FileIntake.Storage;

/// <summary>A file as the table <c>file</c> has it.</summary>
/// <param name="FileId">Its id, a hash of kind and content; also the conversation id of what follows from its rows.</param>
/// <param name="Kind">What its rows are, such as <c>customers</c>.</param>
/// <param name="Name">Its name when it was first submitted.</param>
/// <param name="Hash">Its <see cref="ContentHash"/>.</param>
/// <param name="Path">The path of an upload on the receiving process's disk; null for other files.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="State">Its state.</param>
/// <param name="Reason">Why it failed or is invalid.</param>
/// <param name="AcceptedAt">When it was first submitted, UTC.</param>
/// <param name="StartedAt">When reading started, UTC.</param>
/// <param name="FinishedAt">When it completed, failed or was found invalid, UTC.</param>
/// <param name="Counts">What was done with its rows.</param>
public sealed record IncomingFile(
    Guid FileId,
    string Kind,
    string Name,
    string Hash,
    string? Path,
    long Length,
    FileState State,
    string? Reason,
    DateTimeOffset AcceptedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    FileCounts Counts
);
