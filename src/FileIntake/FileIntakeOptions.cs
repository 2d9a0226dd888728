using System.ComponentModel;
using System.Globalization;
using Sagas.FileIntake.Folders;
using Sagas.FileIntake.Uploads;

namespace Sagas.FileIntake;

/// <summary>Where files of one kind come from.</summary>
public abstract record FileIntakeOptions
{
    /// <summary>The folder that is watched for files; null for none.</summary>
    public string? Folder { get; init; }

    /// <summary>How often the folder is listed, besides notifications, and uploads of other processes are looked for.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A file in the folder that was not renamed into place is complete when it has not changed for this long.</summary>
    public TimeSpan SettleDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The folder that uploads are written to; null for a folder among the temporary files.</summary>
    [DefaultValue("sagas-uploads in the folder for temporary files")]
    public string? UploadFolder { get; init; }

    /// <summary>The largest upload, in bytes.</summary>
    public long MaxUploadBytes { get; init; } = 10L * 1024 * 1024 * 1024;

    /// <summary>The share of rejected rows, 0 to 1, above which a file fails.</summary>
    public double MaxRejectRatio { get; init; } = 0.1;

    /// <summary>How many rows must be read before <see cref="MaxRejectRatio"/> applies.</summary>
    public int MinRowsForRejectRatio { get; init; } = 1000;

    /// <summary>The watched folder; null for none.</summary>
    internal WatchedFolderOptions? Watched =>
        Folder is null
            ? null
            : new WatchedFolderOptions
            {
                Path = Folder,
                PollInterval = PollInterval,
                SettleDelay = SettleDelay,
            };

    /// <summary>The place for uploads.</summary>
    internal UploadOptions Uploads =>
        new() { Path = UploadFolder ?? Path.Combine(Path.GetTempPath(), "sagas-uploads"), MaxBytes = MaxUploadBytes };

    /// <summary>Why a file with so many rejected rows fails, a sentence; null when it does not.</summary>
    /// <param name="rows">Rows read, rejected ones included.</param>
    /// <param name="rejected">Rejected rows.</param>
    public string? ProblemOfRejects(long rows, long rejected)
    {
        if (rows < MinRowsForRejectRatio || rejected <= rows * MaxRejectRatio)
            return null;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{rejected:N0} of the first {rows:N0} rows were rejected, "
                + $"more than MaxRejectRatio allows ({MaxRejectRatio:P0})."
        );
    }

    /// <summary>What is wrong with these options, one sentence each.</summary>
    /// <param name="section">The configuration section, for the sentences.</param>
    protected IEnumerable<string> ValidateIntake(string section)
    {
        foreach (var problem in Watched?.Validate() ?? [])
            yield return $"{section}: {problem}";
        if (MaxUploadBytes < 1)
            yield return $"{section}:{nameof(MaxUploadBytes)} must be at least 1.";
        if (MaxRejectRatio is not (>= 0 and <= 1))
            yield return $"{section}:{nameof(MaxRejectRatio)} must be from 0 to 1.";
        if (MinRowsForRejectRatio < 1)
            yield return $"{section}:{nameof(MinRowsForRejectRatio)} must be at least 1.";
    }
}
