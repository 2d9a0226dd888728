using System.Text;

namespace Sagas.FileIntake.Folders;

/// <summary>
/// The files that are being read, each in <c>working/&lt;claim&gt;/</c>, so that no other file takes its name meanwhile, and the
/// folders <c>done</c> and <c>failed</c> that it moves to. Only this user can write in a claim's folder; nothing is written
/// through a link.
/// </summary>
internal sealed class ClaimedFiles(string folder)
{
    // Beside the file in the folder of its claim; no file that is found begins with a dot.
    private const string Rejects = ".rejects.csv";
    private const string Reason = ".reason.txt";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>The folder for files that are being read.</summary>
    public string WorkingFolder { get; } = Path.Combine(folder, "working");

    /// <summary>The folder for files that were read to their end.</summary>
    public string DoneFolder { get; } = Path.Combine(folder, "done");

    /// <summary>The folder for files that were not.</summary>
    public string FailedFolder { get; } = Path.Combine(folder, "failed");

    /// <summary>Creates the folders.</summary>
    /// <exception cref="IOException">One cannot be created, or is a link.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public void CreateFolders()
    {
        foreach (var each in new[] { WorkingFolder, DoneFolder, FailedFolder })
        {
            Directory.CreateDirectory(each);
            if (RegularFile.KindOf(each) is { } kind and not "folder")
                throw new IOException($"'{each}' is a {kind}: replace it by a folder, or mount one there.");
        }
    }

    /// <summary>The claims that are in the folder <c>working</c>, each with its file; null where it has none any more.</summary>
    public IEnumerable<(Guid Claim, string? Path)> List()
    {
        foreach (var each in new DirectoryInfo(WorkingFolder).EnumerateDirectories())
        {
            if (Guid.TryParseExact(each.Name, "N", out var claim))
                yield return (claim, FileOf(claim));
        }
    }

    /// <summary>Moves a file into the folder of a claim.</summary>
    /// <returns>Its new path; null when it is not there any more.</returns>
    public string? Take(string path, Guid claim)
    {
        var target = Path.Combine(FolderOf(claim), Path.GetFileName(path));
        CreateFolder(FolderOf(claim));
        if (!Rename(path, target))
        {
            Leave(claim);
            return null;
        }
        // Those of a file that was read before, in done or failed; it gets new ones.
        if (Path.GetDirectoryName(path) != folder)
        {
            File.Delete(FileNames.Append(path, FileNames.Rejects));
            File.Delete(FileNames.Append(path, FileNames.Reason));
        }
        return target;
    }

    /// <summary>The file of a claim; null when it has none any more.</summary>
    public string? FileOf(Guid claim)
    {
        try
        {
            return new DirectoryInfo(FolderOf(claim))
                .EnumerateFiles()
                .FirstOrDefault(file => !file.Name.StartsWith('.'))
                ?.FullName;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Where the rejected rows of a claim's file are written to; they are moved with it.</summary>
    public string RejectsOf(Guid claim) => Path.Combine(FolderOf(claim), Rejects);

    /// <summary>Removes the folder of a claim that has no file; one that has stays.</summary>
    public void Leave(Guid claim)
    {
        try
        {
            if (FileOf(claim) is not null)
                return;
            foreach (var own in new DirectoryInfo(FolderOf(claim)).EnumerateFiles(".*"))
                own.Delete();
            // Not recursive: this must never delete a file that was put in meanwhile.
            Directory.Delete(FolderOf(claim), recursive: false);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process removed it.
        }
    }

    /// <summary>Moves a claim's file to <see cref="DoneFolder"/>.</summary>
    /// <returns>Its new path; a number is added to its name when the name is taken.</returns>
    public string MoveToDone(Guid claim) => Move(claim, DoneFolder);

    /// <summary>Moves a claim's file to <see cref="FailedFolder"/>, and the reason beside it.</summary>
    /// <returns>Its new path.</returns>
    public string MoveToFailed(Guid claim, string reason)
    {
        File.WriteAllText(ReasonOf(claim), reason + Environment.NewLine);
        return Move(claim, FailedFolder);
    }

    /// <summary>Moves what is no file that can be read to <see cref="FailedFolder"/>, with the reason.</summary>
    /// <param name="name">Its name in the watched folder, as bytes.</param>
    /// <param name="reason">A sentence for the submitter.</param>
    /// <returns>Its new path; null when it is not there any more.</returns>
    public string? PutAside(ReadOnlySpan<byte> name, string reason)
    {
        var claim = Guid.CreateVersion7();
        CreateFolder(FolderOf(claim));
        var readable = FileNames.Append(Encoding.UTF8.GetString(name), "");
        var claimed = Path.Combine(FolderOf(claim), readable);
        if (NativeFiles.Rename([.. Encoding.UTF8.GetBytes(folder + Path.DirectorySeparatorChar), .. name], claimed))
            return MoveToFailed(claim, reason);
        Leave(claim);
        return null;
    }

    private string ReasonOf(Guid claim) => Path.Combine(FolderOf(claim), Reason);

    private string FolderOf(Guid claim) => Path.Combine(WorkingFolder, claim.ToString("N"));

    private static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, OwnerOnly);
    }

    // The file comes last: a process that is killed before finds the claim again and repeats this.
    private string Move(Guid claim, string target)
    {
        var path = FileOf(claim) ?? throw new FileNotFoundException($"The claim {claim} has no file.");
        var name = Path.GetFileName(path);
        for (var number = 1; ; number++)
        {
            var free = Path.Combine(target, FileNames.Numbered(name, number));
            var rejects = Path.Combine(target, FileNames.Append(Path.GetFileName(free), FileNames.Rejects));
            var reason = Path.Combine(target, FileNames.Append(Path.GetFileName(free), FileNames.Reason));
            if (new[] { free, rejects, reason }.Any(each => RegularFile.KindOf(each) is not null))
                continue;
            MoveCompanion(RejectsOf(claim), rejects);
            MoveCompanion(ReasonOf(claim), reason);
            if (!Rename(path, free))
                throw new FileNotFoundException($"The file '{path}' is not there any more.", path);
            Leave(claim);
            return free;
        }
    }

    private static void MoveCompanion(string from, string to)
    {
        if (File.Exists(from))
            File.Move(from, to, overwrite: false);
    }

    // A link is renamed itself. Another file system, such as a volume for the files that are done, takes a copy.
    private static bool Rename(string from, string to)
    {
        if (RegularFile.KindOf(from) is not { } kind)
            return false;
        if (kind == RegularFile.Regular || !OperatingSystem.IsLinux())
        {
            try
            {
                File.Move(from, to, overwrite: false);
                return true;
            }
            catch (FileNotFoundException)
            {
                return false;
            }
        }
        return NativeFiles.Rename(Encoding.UTF8.GetBytes(from), to);
    }
}
