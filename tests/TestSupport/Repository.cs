namespace Sagas.TestSupport;

/// <summary>The files that these tests were built from.</summary>
public static class Repository
{
    private static readonly Lazy<string> _root = new(FindRoot);

    /// <summary>The folder of the solution.</summary>
    public static string Root => _root.Value;

    /// <summary>Source and project files by pattern, without build output.</summary>
    public static IEnumerable<string> Files(string pattern) =>
        new[] { "src", "benchmarks", "examples", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories))
            .Where(path => !IsBuilt(path));

    /// <summary>Folders of the source, by their path from <see cref="Root"/>.</summary>
    public static IEnumerable<string> Folders() =>
        Files("*").Select(file => Path.GetRelativePath(Root, Path.GetDirectoryName(file)!)).Distinct();

    private static bool IsBuilt(string path) =>
        Path.GetRelativePath(Root, path).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "TestResults");

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Sagas.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException($"No Sagas.sln in or above {AppContext.BaseDirectory}.");
    }
}
