namespace Sagas.FileIntake.Records;

/// <summary>How records are read.</summary>
public sealed record RecordReaderOptions
{
    /// <summary>The ASCII character that separates fields; null to detect it. A line <c>sep=;</c> in the file decides over
    /// it.</summary>
    public char? Delimiter { get; init; }

    /// <summary>The longest record, in bytes of UTF-8: 64 to 16 MiB.</summary>
    public int MaxRecordBytes { get; init; } = 64 * 1024;

    /// <summary>The most fields of a record.</summary>
    public int MaxFields { get; init; } = 1000;

    /// <summary>How many bytes of the file on disk are read, although it may grow meanwhile; null for all.</summary>
    public long? Length { get; init; }
}
