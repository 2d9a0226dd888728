namespace Sagas.FileIntake;

/// <summary>By what a change of a file is noticed.</summary>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Written">When it was last written, UTC.</param>
internal readonly record struct FileVersion(long Length, DateTime Written)
{
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static FileVersion Of(string path)
    {
        var file = new FileInfo(path);
        return new FileVersion(file.Length, file.LastWriteTimeUtc);
    }
}
