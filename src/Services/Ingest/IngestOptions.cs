using System.ComponentModel;
using System.Numerics;
using Sagas.Configuration;
using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>Configuration section <c>Ingest</c>: how files of customers are read.</summary>
public sealed record IngestOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Ingest";

    /// <summary>The most lanes that a file may have.</summary>
    public const int MostLanes = 16;

    /// <summary>The folder that is watched; null: none is.</summary>
    public string? Folder { get; init; }

    /// <summary>How often the folder is looked through, beside notifications.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A file in the folder that was not renamed into place is complete when it has not changed for this long.</summary>
    public TimeSpan StableFor { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Where uploads are written to; null: a folder for temporary files.</summary>
    [DefaultValue("sagas-uploads in the folder for temporary files")]
    public string? UploadFolder { get; init; }

    /// <summary>The largest upload, in bytes.</summary>
    public long MaxUploadBytes { get; init; } = 10L * 1024 * 1024 * 1024;

    /// <summary>The share of rejected rows, 0 to 1, above which a file is stopped.</summary>
    public double MaxRejectRatio { get; init; } = 0.1;

    /// <summary>Rows below which a file is not stopped for its rejects.</summary>
    public int MinRowsToJudge { get; init; } = 1000;

    /// <summary>The longest row, in bytes.</summary>
    public int MaxRowLength { get; init; } = 64 * 1024;

    /// <summary>What separates fields; null: found out for each file.</summary>
    [DefaultValue("detected")]
    public char? Delimiter { get; init; }

    /// <summary>Further names of columns in files: the column here to a list of names separated by commas, such as
    /// <c>Ingest:Columns:first_name = "Vorname, prénom"</c>.</summary>
    public IReadOnlyDictionary<string, string> Columns { get; init; } = new Dictionary<string, string>();

    /// <summary>How many connections do rows side by side: a power of two up to <see cref="MostLanes"/>; null: one per processor, at
    /// most 4.</summary>
    [DefaultValue("one per processor, at most 4")]
    public int? Lanes { get; init; }

    /// <summary>Most rows that a lane does in one transaction.</summary>
    public int MaxBatchRows { get; init; } = 40_000;

    /// <summary>The lanes of a file that is begun.</summary>
    public int EffectiveLanes => Lanes ?? (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(Environment.ProcessorCount, 1, 4));

    /// <summary>Where uploads are written to.</summary>
    public string EffectiveUploadFolder => UploadFolder ?? Path.Combine(Path.GetTempPath(), "sagas-uploads");

    /// <summary>The watched folder as the file engine knows it; null: none is watched.</summary>
    public WatchedFolderOptions? Watched =>
        Folder is null ? null : new WatchedFolderOptions { Path = Folder, PollInterval = PollInterval, StableFor = StableFor };

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        foreach (var problem in Watched?.Validate() ?? [])
            yield return $"{Section}: {problem}";
        if (MaxUploadBytes < 1)
            yield return $"{Section}:{nameof(MaxUploadBytes)} must be at least 1.";
        if (MaxRejectRatio is not (>= 0 and <= 1))
            yield return $"{Section}:{nameof(MaxRejectRatio)} must be from 0 to 1.";
        if (MinRowsToJudge < 1)
            yield return $"{Section}:{nameof(MinRowsToJudge)} must be at least 1.";
        if (MaxRowLength is < 64 or > 1024 * 1024)
            yield return $"{Section}:{nameof(MaxRowLength)} must be from 64 to 1048576 bytes.";
        if (Delimiter is { } delimiter && (delimiter is '"' or '\n' or '\r' || !char.IsAscii(delimiter)))
            yield return $"{Section}:{nameof(Delimiter)} must be an ASCII character other than a quote or a line break.";
        if (Lanes is { } lanes && (lanes is < 1 or > MostLanes || !BitOperations.IsPow2(lanes)))
            yield return $"{Section}:{nameof(Lanes)} must be 1, 2, 4, 8 or 16.";
        if (MaxBatchRows is < 1 or > 2_000_000)
            yield return $"{Section}:{nameof(MaxBatchRows)} must be from 1 to 2000000.";
        foreach (var column in Columns.Keys.Where(column => CustomerColumns.Find(column) is null))
            yield return $"{Section}:{nameof(Columns)} names '{column}', which is no column: use any of {CustomerColumns.Names}.";
    }
}
