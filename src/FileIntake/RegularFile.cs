namespace Sagas.FileIntake;

/// <summary>Reads regular files only: neither a link nor a named pipe nor a device.</summary>
public static class RegularFile
{
    /// <summary>What <see cref="KindOf"/> returns for a regular file.</summary>
    public const string Regular = "file";

    /// <summary>What a folder entry is, without following links.</summary>
    /// <returns><see cref="Regular"/>, or another word such as "named pipe"; null when there is no such entry.</returns>
    public static string? KindOf(string path)
    {
        if (OperatingSystem.IsLinux())
            return NativeFiles.KindOf(path);
        var entry = new FileInfo(path);
        if (entry.LinkTarget is not null)
            return "symbolic link";
        return entry.Exists ? Regular
            : Directory.Exists(path) ? "folder"
            : null;
    }

    /// <summary>Opens a file for reading, while others may write, move or delete it.</summary>
    /// <exception cref="IOException">It is no regular file, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read the file is missing.</exception>
    public static FileStream Open(string path)
    {
        var kind = KindOf(path) ?? throw new FileNotFoundException($"There is no file '{path}'.", path);
        if (kind != Regular)
            throw new IOException($"'{path}' is a {kind} and no regular file.");
        // On other systems FileShare.Delete lets it be moved while it is open.
        return OperatingSystem.IsLinux()
            ? new FileStream(NativeFiles.Open(path), FileAccess.Read, bufferSize: 0)
            : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
    }
}
