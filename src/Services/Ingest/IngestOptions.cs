using System.ComponentModel;
using System.Numerics;
using Sagas.Configuration;
using Sagas.FileIntake;

namespace Sagas.Services.Ingest;

/// <summary>Configuration section <c>Ingest</c>: where files of customers come from, and how they are read.</summary>
public sealed record IngestOptions : FileIntakeOptions, IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Ingest";

    /// <summary>The most partitions of a file.</summary>
    public const int MaxPartitions = 16;

    /// <summary>The longest row, in bytes.</summary>
    public int MaxRowBytes { get; init; } = 64 * 1024;

    /// <summary>The character that separates fields; null to detect it for each file.</summary>
    [DefaultValue("detected")]
    public char? Delimiter { get; init; }

    /// <summary>Further names of columns in files: a column to its names, separated by commas, such as
    /// <c>Ingest:Columns:first_name = "Vorname, prénom"</c>.</summary>
    public IReadOnlyDictionary<string, string> Columns { get; init; } = new Dictionary<string, string>();

    /// <summary>How many connections write rows in parallel: a power of two up to <see cref="MaxPartitions"/>; null for one per
    /// processor, at most 4.</summary>
    [DefaultValue("one per processor, at most 4")]
    public int? Partitions { get; init; }

    /// <summary>The most rows of a transaction.</summary>
    public int MaxBatchRows { get; init; } = 40_000;

    /// <summary>The partitions of a file that is started.</summary>
    internal int EffectivePartitions =>
        Partitions ?? (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(Environment.ProcessorCount, 1, 4));

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        foreach (var problem in ValidateIntake(Section))
            yield return problem;
        if (MaxRowBytes is < 64 or > 1024 * 1024)
            yield return $"{Section}:{nameof(MaxRowBytes)} must be from 64 to 1048576.";
        if (Delimiter is { } delimiter && (delimiter is '"' or '\n' or '\r' || !char.IsAscii(delimiter)))
            yield return $"{Section}:{nameof(Delimiter)} must be an ASCII character other than a quote or a line break.";
        if (Partitions is { } partitions && (partitions is < 1 or > MaxPartitions || !BitOperations.IsPow2(partitions)))
            yield return $"{Section}:{nameof(Partitions)} must be 1, 2, 4, 8 or 16.";
        if (MaxBatchRows is < 1 or > 2_000_000)
            yield return $"{Section}:{nameof(MaxBatchRows)} must be from 1 to 2000000.";
        foreach (var column in Columns.Keys.Where(column => CustomerColumns.Find(column) is null))
            yield return $"{Section}:{nameof(Columns)}:{column} does not name a column: use one of {CustomerColumns.Names}.";
    }
}
