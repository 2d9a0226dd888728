using System.Text;

namespace Sagas.FileIntake;

/// <summary>Names of files that belong to another file.</summary>
public static class FileNames
{
    /// <summary>The ending of the file with the rejected rows, after the whole name of their file.</summary>
    public const string Rejects = ".rejects.csv";

    /// <summary>The ending of the file with the reason, after the whole name of a file that failed.</summary>
    public const string Reason = ".reason.txt";

    // What file systems allow, in bytes.
    private const int MaxBytes = 255;

    /// <summary>Appends an ending to a name or path; a name that would be too long for a file is cut.</summary>
    public static string Append(string path, string ending)
    {
        var name = Path.GetFileName(path);
        var folder = path[..^name.Length];
        var end = name.Length;
        var bytes = Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(ending);
        while (bytes > MaxBytes && end > 0)
        {
            var start = end > 1 && char.IsSurrogatePair(name[end - 2], name[end - 1]) ? end - 2 : end - 1;
            bytes -= Encoding.UTF8.GetByteCount(name.AsSpan(start, end - start));
            end = start;
        }
        return folder + name[..end] + ending;
    }

    /// <summary>A name with a number before its extension: the second is <c>a.2.csv</c>.</summary>
    /// <param name="name">The name, which is that of the first.</param>
    /// <param name="number">From 1.</param>
    public static string Numbered(string name, int number) =>
        number == 1 ? name : Append(Path.GetFileNameWithoutExtension(name), $".{number}{Path.GetExtension(name)}");
}
