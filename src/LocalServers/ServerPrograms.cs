using System.Globalization;

namespace Sagas.LocalServers;

/// <summary>
/// Where the servers' programs are: in the folders their packages use, which are often not on the PATH, or on the PATH.
/// </summary>
public static class ServerPrograms
{
    private static readonly string[] _rabbitMqFolders =
    [
        // Debian's /usr/sbin/rabbitmq-server is a wrapper that changes the user and drops arguments: after the real one.
        "/usr/lib/rabbitmq/bin",
        .. OnPath,
        "/usr/sbin",
        "/opt/homebrew/sbin",
        "/opt/homebrew/opt/rabbitmq/sbin",
        "/usr/local/sbin",
        "/usr/local/opt/rabbitmq/sbin",
    ];

    private static readonly string[] _erlangFolders =
    [
        .. OnPath,
        "/usr/bin",
        "/usr/lib/erlang/bin",
        "/usr/local/lib/erlang/bin",
        "/opt/homebrew/bin",
        "/usr/local/bin",
    ];

    private static IEnumerable<string> OnPath =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);

    public static string? FindPostgres(string program) =>
        Find(program, [.. PostgresFolders(), .. OnPath, "/opt/homebrew/bin", "/usr/local/bin"]);

    public static string? FindRabbitMq(string program) => Find(program, _rabbitMqFolders);

    public static string? FindErlang(string program) => Find(program, _erlangFolders);

    private static string? Find(string program, IEnumerable<string> folders) =>
        folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(IsProgram);

    // A link whose target was uninstalled exists, too.
    private static bool IsProgram(string path) =>
        File.Exists(path) && (File.ResolveLinkTarget(path, returnFinalTarget: true)?.Exists ?? true);

    // Packages of several versions can be installed side by side: the newest.
    private static IEnumerable<string> PostgresFolders() =>
        new[] { ("/usr/lib/postgresql", ""), ("/opt/homebrew/opt", "postgresql@"), ("/usr/local/opt", "postgresql@") }
            .Where(place => Directory.Exists(place.Item1))
            .SelectMany(place =>
                Directory
                    .EnumerateDirectories(place.Item1, $"{place.Item2}*")
                    .Select(folder => (Folder: folder, Version: Version(Path.GetFileName(folder)[place.Item2.Length..])))
                    .Where(found => found.Version > 0)
            )
            .OrderByDescending(found => found.Version)
            .Select(found => Path.Combine(found.Folder, "bin"));

    private static double Version(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var version) ? version : 0;
}
