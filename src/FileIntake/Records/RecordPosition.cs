namespace Sagas.FileIntake.Records;

/// <summary>A position between two records of a file, where reading can continue.</summary>
/// <param name="Offset">Bytes from the start of the file; in a compressed file, of its decompressed content.</param>
/// <param name="Line">The number of the line that starts there, from 1. A record with line breaks within quotes has several
/// lines.</param>
public readonly record struct RecordPosition(long Offset, long Line)
{
    /// <summary>The start of a file.</summary>
    public static RecordPosition Start { get; } = new(0, 1);
}
