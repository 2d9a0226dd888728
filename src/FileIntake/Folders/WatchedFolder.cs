using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Sagas.FileIntake.Storage;

namespace Sagas.FileIntake.Folders;

/// <summary>
/// Finds the complete files of a folder. A file is complete when it was renamed into place, or when it has not changed for a
/// while. The consumer moves each file to <c>done</c> or <c>failed</c>; a file that is still there when the process starts
/// again is found again. Ignored are files whose name starts with a dot or ends as those of unfinished copies do
/// (<c>.part</c>, <c>.tmp</c> …), and files of rejected rows (<see cref="RejectedRows.FileSuffix"/>), which are moved with
/// their file.
/// </summary>
public sealed partial class WatchedFolder(WatchedFolderOptions options, TimeProvider timeProvider, ILogger<WatchedFolder> logger)
{
    /// <summary>The ending of the file with the reason, beside a file in <c>failed</c>.</summary>
    public const string ReasonSuffix = ".reason.txt";

    private static readonly string[] _unfinished =
    [
        ".part",
        ".partial",
        ".filepart",
        ".crdownload",
        ".tmp",
        ".temp",
        ".swp",
        "~",
    ];

    private readonly ConcurrentDictionary<string, Sighting> _seen = [];

    /// <summary>The folder for files that were read to their end.</summary>
    public string DoneFolder { get; } = Path.Combine(Path.GetFullPath(options.Path), "done");

    /// <summary>The folder for files that were not.</summary>
    public string FailedFolder { get; } = Path.Combine(Path.GetFullPath(options.Path), "failed");

    /// <summary>Yields the full paths of complete files as they arrive, the oldest first, each once until it changes.</summary>
    /// <exception cref="IOException">The folder cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to create or write to the folder is missing.</exception>
    public async IAsyncEnumerable<string> FilesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(DoneFolder);
        Directory.CreateDirectory(FailedFolder);
        using var notifications = new FolderNotifications(Path.GetFullPath(options.Path));
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var path in Complete(notifications.TakeRenamed()))
            {
                yield return path;
                // Processing the file may have taken hours.
                cancellationToken.ThrowIfCancellationRequested();
            }
            await notifications.WaitAsync(DelayToNextListing(), timeProvider, cancellationToken);
        }
    }

    /// <summary>Yields a file again although it has not changed.</summary>
    /// <param name="path">The path that was yielded.</param>
    public void LookAgain(string path) => _seen.TryRemove(path, out _);

    /// <summary>Moves a file that was read to its end.</summary>
    /// <param name="path">The path that was yielded.</param>
    /// <returns>Its new path; a number is added to its name when the name is taken.</returns>
    public string MoveToDone(string path) => Move(path, DoneFolder);

    /// <summary>Moves a file that was not read to its end, and writes the reason beside it.</summary>
    /// <param name="path">The path that was yielded.</param>
    /// <param name="reason">A sentence for the submitter.</param>
    /// <returns>Its new path.</returns>
    public string MoveToFailed(string path, string reason)
    {
        var target = Move(path, FailedFolder);
        File.WriteAllText(target + ReasonSuffix, reason + Environment.NewLine);
        return target;
    }

    private static bool IsCandidate(string name) =>
        !name.StartsWith('.')
        && !name.EndsWith(RejectedRows.FileSuffix, StringComparison.OrdinalIgnoreCase)
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
            // The file itself is moved last: a process that is killed before finds it again and repeats this.
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
                // Another process took the name in between.
            }
        }
    }

    private List<string> Complete(IReadOnlySet<string> renamed)
    {
        var complete = new List<FileInfo>();
        // One time for all: files that arrived together are complete together, in their order.
        var now = timeProvider.GetUtcNow();
        try
        {
            var files = new DirectoryInfo(options.Path)
                .EnumerateFiles()
                .Where(file => IsCandidate(file.Name))
                .ToDictionary(file => file.FullName);
            foreach (var gone in _seen.Keys.Where(path => !files.ContainsKey(path)).ToArray())
                _seen.TryRemove(gone, out _);
            complete.AddRange(files.Values.Where(file => IsComplete(file, renamed.Contains(file.FullName), now)));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(logger, options.Path, exception.Message);
        }
        return
        [
            .. complete
                .OrderBy(file => file.LastWriteTimeUtc)
                .ThenBy(file => file.Name, StringComparer.Ordinal)
                .Select(file => file.FullName),
        ];
    }

    private bool IsComplete(FileInfo file, bool renamed, DateTimeOffset now)
    {
        var (size, written) = (file.Length, file.LastWriteTimeUtc);
        if (!_seen.TryGetValue(file.FullName, out var seen) || seen.Size != size || seen.Written != written)
            seen = new Sighting(size, written, now, Yielded: false);
        var complete = !seen.Yielded && (renamed || now - seen.Since >= options.SettleDelay);
        _seen[file.FullName] = complete ? seen with { Yielded = true } : seen;
        return complete;
    }

    // Shorter than the poll interval when a file settles before.
    private TimeSpan DelayToNextListing()
    {
        var settling = _seen.Values.Where(seen => !seen.Yielded).Select(seen => seen.Since).ToArray();
        if (settling.Length == 0)
            return options.PollInterval;
        var settled = settling.Min() + options.SettleDelay - timeProvider.GetUtcNow();
        var soon = settled > TimeSpan.FromMilliseconds(20) ? settled : TimeSpan.FromMilliseconds(20);
        return soon < options.PollInterval ? soon : options.PollInterval;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The folder {Folder} cannot be read and is retried; check that it exists and its permissions: {Reason}"
    )]
    private static partial void LogUnreadable(ILogger logger, string folder, string reason);

    private sealed record Sighting(long Size, DateTime Written, DateTimeOffset Since, bool Yielded);
}
