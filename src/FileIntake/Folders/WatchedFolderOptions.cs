namespace Sagas.FileIntake.Folders;

/// <summary>A folder that is watched for files.</summary>
public sealed record WatchedFolderOptions
{
    /// <summary>The folder. It is created when it is missing, as are <c>working</c>, <c>done</c>
    /// and <c>failed</c> within it.</summary>
    public required string Path { get; init; }

    /// <summary>How often the folder is listed. Most files are found sooner, by notification; network file systems and some
    /// container mounts have none.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A file that was not renamed into place is complete when neither its size nor its modification time has
    /// changed for this long.</summary>
    public TimeSpan SettleDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What is wrong with these options, one sentence each.</summary>
    public IEnumerable<string> Validate()
    {
        if (string.IsNullOrWhiteSpace(Path))
            yield return "Path must name a folder.";
        if (PollInterval < TimeSpan.FromMilliseconds(50) || PollInterval > TimeSpan.FromHours(1))
            yield return "PollInterval must be from 50 ms to 1 hour.";
        if (SettleDelay < TimeSpan.Zero || SettleDelay > TimeSpan.FromHours(1))
            yield return "SettleDelay must be from zero to 1 hour.";
    }
}
