namespace Sagas.FileIntake.Storage;

/// <summary>A row that is invalid.</summary>
/// <param name="Line">The line on which it starts, from 1.</param>
/// <param name="Column">The column, as the file names it; null for the row as a whole.</param>
/// <param name="Reason">What is wrong.</param>
/// <param name="Record">The row as it is in the file.</param>
public sealed record RejectedRow(long Line, string? Column, string Reason, string Record);
