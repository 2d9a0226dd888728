using Sagas.FileIntake.Storage;

namespace Sagas.FileIntake;

/// <summary>The progress of a file, as its transactions commit.</summary>
/// <param name="Counts">What is durable.</param>
/// <param name="Fraction">How much of the file that is, 0 to 1.</param>
public readonly record struct FileProgress(FileCounts Counts, double Fraction);
