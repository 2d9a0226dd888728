namespace Sagas.Services.Files;

/// <summary>How records are read.</summary>
public sealed record RecordReaderOptions
{
    /// <summary>What separates fields, an ASCII character; null: found out from the file.</summary>
    public char? Delimiter { get; init; }

    /// <summary>Longest record in bytes of UTF-8, from 64 to 16 MiB.</summary>
    public int MaxRecordLength { get; init; } = 64 * 1024;

    /// <summary>Most fields in a record.</summary>
    public int MaxFields { get; init; } = 1000;
}
