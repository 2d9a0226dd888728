using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Sagas.Services.Files;

/// <summary>
/// Finds the complete files of a folder. A file is complete when it was renamed into place, or when it has not changed for a while.
/// Whoever gets a file moves it to <c>done</c> or <c>failed</c>; a file that is still there when the process starts again is found
/// again. Files whose name starts with a dot or ends as those of unfinished copies do (<c>.part</c>, <c>.tmp</c> …) are not looked at, nor are
/// files of rejected rows (<see cref="RejectedRows.FileSuffix"/>): these go with their file.
/// </summary>
/// <param name="options">The folder.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told when the folder cannot be read.</param>
public sealed partial class WatchedFolder(WatchedFolderOptions options, TimeProvider time, ILogger<WatchedFolder> logger)
{
    /// <summary>What the file with the reason has at its end, beside a file in <c>failed</c>.</summary>
    public const string ReasonSuffix = ".reason.txt";

    private static readonly string[] _unfinished = [".part", ".partial", ".filepart", ".crdownload", ".tmp", ".temp", ".swp", "~"];

    private readonly Dictionary<string, Sighting> _seen = [];

    /// <summary>Where files go that were read to their end.</summary>
    public string DoneFolder { get; } = Path.Combine(Path.GetFullPath(options.Path), "done");

    /// <summary>Where files go that were not.</summary>
    public string FailedFolder { get; } = Path.Combine(Path.GetFullPath(options.Path), "failed");

    /// <summary>Yields complete files as they come, the one that was written first first, each once until it changes.</summary>
    /// <param name="cancellationToken">Stops watching.</param>
    /// <returns>Full paths.</returns>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder must not be made, or not be written to.</exception>
    public async IAsyncEnumerable<string> FilesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(DoneFolder);
        Directory.CreateDirectory(FailedFolder);
        using var notices = new FolderNotices(Path.GetFullPath(options.Path));
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var path in Complete(notices.TakeRenamed()))
            {
                yield return path;
                // Others may have come meanwhile, and this may have taken hours.
                cancellationToken.ThrowIfCancellationRequested();
            }
            await notices.WaitAsync(NextLook(), time, cancellationToken);
        }
    }

    /// <summary>Yields a file again although it has not changed, as if it were new.</summary>
    /// <param name="path">The path that was yielded.</param>
    public void LookAgain(string path) => _seen.Remove(path);

    /// <summary>Moves a file that was read to its end.</summary>
    /// <param name="path">The path that was yielded.</param>
    /// <returns>Where it is now; a number is added to its name where there is one of that name.</returns>
    public string MoveToDone(string path) => Move(path, DoneFolder);

    /// <summary>Moves a file that could not be used, and writes the reason beside it.</summary>
    /// <param name="path">The path that was yielded.</param>
    /// <param name="reason">A sentence for whoever put the file there.</param>
    /// <returns>Where it is now.</returns>
    public string MoveToFailed(string path, string reason)
    {
        var target = Move(path, FailedFolder);
        File.WriteAllText(target + ReasonSuffix, reason + Environment.NewLine);
        return target;
    }

    private static bool IsCandidate(string name) =>
        !name.StartsWith('.') && !name.EndsWith(RejectedRows.FileSuffix, StringComparison.OrdinalIgnoreCase)
        && !Array.Exists(_unfinished, ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private static string Move(string path, string folder)
    {
        Directory.CreateDirectory(folder);
        var (name, extension) = (Path.GetFileNameWithoutExtension(path), Path.GetExtension(path));
        for (var number = 1; ; number++)
        {
            var target = Path.Combine(folder, number == 1 ? name + extension : $"{name}.{number}{extension}");
            if (File.Exists(target))
                continue;
            // The file itself last: whoever is killed before finds it again, and does this again.
            var rejects = RejectedRows.PathFor(path);
            if (File.Exists(rejects))
                File.Move(rejects, RejectedRows.PathFor(target), overwrite: true);
            try
            {
                File.Move(path, target, overwrite: false);
                return target;
            }
            catch (IOException) when (File.Exists(target) && File.Exists(path))
            {
                // An earlier file of that name is kept.
            }
        }
    }

    private List<string> Complete(IReadOnlySet<string> renamed)
    {
        var complete = new List<FileInfo>();
        // One time for all, so that files that came together are complete together, in their order.
        var now = time.GetUtcNow();
        try
        {
            var files = new DirectoryInfo(options.Path).EnumerateFiles().Where(file => IsCandidate(file.Name)).ToDictionary(file => file.FullName);
            foreach (var gone in _seen.Keys.Where(path => !files.ContainsKey(path)).ToArray())
                _seen.Remove(gone);
            complete.AddRange(files.Values.Where(file => IsComplete(file, renamed.Contains(file.FullName), now)));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(logger, options.Path, exception.Message);
        }
        return [.. complete.OrderBy(file => file.LastWriteTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal).Select(file => file.FullName)];
    }

    private bool IsComplete(FileInfo file, bool renamed, DateTimeOffset now)
    {
        var (size, written) = (file.Length, file.LastWriteTimeUtc);
        if (!_seen.TryGetValue(file.FullName, out var seen) || seen.Size != size || seen.Written != written)
            seen = new Sighting(size, written, now, Yielded: false);
        var complete = !seen.Yielded && (renamed || now - seen.Since >= options.StableFor);
        _seen[file.FullName] = complete ? seen with { Yielded = true } : seen;
        return complete;
    }

    // Soon when a file only has to stay as it is for a little longer.
    private TimeSpan NextLook()
    {
        if (_seen.Values.All(seen => seen.Yielded))
            return options.PollInterval;
        var now = time.GetUtcNow();
        var stable = _seen.Values.Where(seen => !seen.Yielded).Min(seen => seen.Since) + options.StableFor - now;
        var soon = stable > TimeSpan.FromMilliseconds(20) ? stable : TimeSpan.FromMilliseconds(20);
        return soon < options.PollInterval ? soon : options.PollInterval;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The folder {Folder} cannot be read, it is looked at again later: {Reason}")]
    private static partial void LogUnreadable(ILogger logger, string folder, string reason);

    private sealed record Sighting(long Size, DateTime Written, DateTimeOffset Since, bool Yielded);
}
