namespace Sagas.Services.Files;

/// <summary>A place between two records of a file: where reading can go on.</summary>
/// <param name="Offset">Bytes from the start of the file; of a compressed file, from the start of what it decompresses to.</param>
/// <param name="Line">Number of the line that starts there, from 1. A record with line breaks within quotes has several lines.</param>
public readonly record struct RecordPosition(long Offset, long Line)
{
    /// <summary>The start of a file.</summary>
    public static RecordPosition Start { get; } = new(0, 1);
}
