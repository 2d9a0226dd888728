namespace Sagas.FileIntake.Folders;

/// <summary>A file that <see cref="WatchedFolder"/> found.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Claim">The claim under which it is moved, or was moved by a process that ended, into the folder
/// <c>working</c>.</param>
/// <param name="IsClaimed">Whether it is in the folder <c>working</c>.</param>
/// <param name="Version">What it was when it was complete; null for a claimed file.</param>
internal sealed record FoundFile(string Path, Guid Claim, bool IsClaimed, FileVersion? Version)
{
    /// <summary>Its name.</summary>
    public string Name => System.IO.Path.GetFileName(Path);
}
