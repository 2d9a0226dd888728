using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>How far a file has come, as its batches are committed.</summary>
/// <param name="Counts">What is durable.</param>
/// <param name="Fraction">How much of the file that is, 0 to 1.</param>
public readonly record struct IngestProgress(FileCounts Counts, double Fraction);

/// <summary>How reading a file ended.</summary>
/// <param name="State"><see cref="FileState.Done"/>, <see cref="FileState.Stopped"/> or <see cref="FileState.Refused"/>.</param>
/// <param name="Reason">Why it was stopped or refused.</param>
/// <param name="Counts">What has been done of the file, by this run and those before.</param>
public sealed record IngestOutcome(FileState State, string? Reason, FileCounts Counts);
