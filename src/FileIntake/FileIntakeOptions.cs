using System.ComponentModel;
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

    /// <summary>What is wrong with these options, one sentence each.</summary>
    /// <param name="section">The configuration section, for the sentences.</param>
    protected IEnumerable<string> ValidateIntake(string section)
    {
        foreach (var problem in Watched?.Validate() ?? [])
            yield return $"{section}: {problem}";
        if (MaxUploadBytes < 1)
            yield return $"{section}:{nameof(MaxUploadBytes)} must be at least 1.";
    }
}
