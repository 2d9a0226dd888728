using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Sagas.FileIntake.Folders;

/// <summary>
/// Finds the complete files of a folder. A file is complete when it was renamed into place, or when it has not changed for a
/// while. The consumer claims each file, which moves it to <c>working</c>, and then moves it to <c>done</c> or <c>failed</c>. A
/// file that a process left in <c>working</c> is found again, and so is one that grows after it was moved on. Ignored are files
/// whose name starts with a dot or ends as those of unfinished copies do (<c>.part</c>, <c>.tmp</c> …). What is no regular
/// file, and what has a name that is not UTF-8, is moved to <c>failed</c>.
/// </summary>
internal sealed partial class WatchedFolder(
    WatchedFolderOptions options,
    TimeProvider timeProvider,
    ILogger<WatchedFolder> logger
)
{
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

    // What is written later than this is not read.
    private static readonly TimeSpan _afterwards = TimeSpan.FromHours(1);
    private const int MaxAfterwards = 1000;

    // How much longer a file that ends within a line has to be unchanged.
    private const int FactorWithinLine = 5;

    private readonly string _path = Path.GetFullPath(options.Path);
    private readonly ClaimedFiles _claims = new(Path.GetFullPath(options.Path));
    private readonly ConcurrentDictionary<string, Sighting> _seen = [];
    private readonly ConcurrentDictionary<string, (long Length, DateTimeOffset Since)> _moved = [];
    private readonly ConcurrentDictionary<Guid, bool> _held = [];

    /// <summary>Yields complete files as they arrive, the oldest first, each once until it changes.</summary>
    /// <exception cref="IOException">The folder cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to create or write to the folder is missing.</exception>
    public async IAsyncEnumerable<FoundFile> FilesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _claims.CreateFolders();
        using var notifications = new FolderNotifications(_path);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var file in Complete(notifications.TakeRenamed()))
            {
                _held[file.Claim] = true;
                yield return file;
                // Processing the file may have taken hours.
                cancellationToken.ThrowIfCancellationRequested();
            }
            await notifications.WaitAsync(DelayToNextListing(), timeProvider, cancellationToken);
        }
    }

    /// <summary>
    /// Moves a file that was found into <c>working</c>, unless it is there since an earlier call. The caller holds the lock of
    /// its claim.
    /// </summary>
    /// <returns>The claimed file; null when it is gone, or has changed since it was found.</returns>
    /// <exception cref="IOException">It cannot be moved.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read or move the file is missing.</exception>
    public FoundFile? Claim(FoundFile file)
    {
        if ((_claims.FileOf(file.Claim) ?? (file.IsClaimed ? null : Take(file))) is not { } path)
        {
            _claims.Leave(file.Claim);
            return null;
        }
        if (RegularFile.KindOf(path) is { } kind and not RegularFile.Regular)
        {
            _claims.MoveToFailed(file.Claim, ReasonOf(kind));
            LogPutAside(logger, file.Name, ReasonOf(kind));
            return null;
        }
        return file with { Path = path, IsClaimed = true };
    }

    /// <summary>Yields a file again although it has not changed.</summary>
    public void LookAgain(string path) => _seen.TryRemove(path, out _);

    /// <summary>Ends the hold of this process on a file; if it is still in <c>working</c>, it is found again.</summary>
    public void Release(FoundFile file) => _held.TryRemove(file.Claim, out _);

    /// <summary>Where the rejected rows of a claimed file are written to; they are moved with it.</summary>
    public string RejectsOf(FoundFile file) => _claims.RejectsOf(file.Claim);

    /// <summary>Moves a claimed file that was read to its end.</summary>
    /// <param name="file">The file.</param>
    /// <param name="length">How much of it was read, in bytes: when it grows it is found again.</param>
    /// <returns>Its new path; a number is added to its name when the name is taken.</returns>
    public string MoveToDone(FoundFile file, long length) => WatchAfterwards(_claims.MoveToDone(file.Claim), length);

    /// <summary>Moves a claimed file that was not read to its end, and writes the reason beside it.</summary>
    /// <param name="file">The file.</param>
    /// <param name="reason">A sentence for the submitter.</param>
    /// <param name="length">Its length in bytes: when it grows it is found again.</param>
    /// <returns>Its new path.</returns>
    public string MoveToFailed(FoundFile file, string reason, long length) =>
        WatchAfterwards(_claims.MoveToFailed(file.Claim, reason), length);

    private static string ReasonOf(string kind) => $"It is a {kind} and no regular file.";

    private string? Take(FoundFile file)
    {
        if (RegularFile.KindOf(file.Path) is null)
            return null;
        // What cannot be read stays where it is.
        RegularFile.Open(file.Path).Dispose();
        if (FileVersion.Of(file.Path) != file.Version)
        {
            LookAgain(file.Path);
            return null;
        }
        _seen.TryRemove(file.Path, out _);
        _moved.TryRemove(file.Path, out _);
        return _claims.Take(file.Path, file.Claim);
    }

    private static bool IsCandidate(string name) =>
        !name.StartsWith('.') && !Array.Exists(_unfinished, ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private string WatchAfterwards(string path, long length)
    {
        if (_moved.Count < MaxAfterwards)
            _moved[path] = (length, timeProvider.GetUtcNow());
        return path;
    }

    private List<FoundFile> Complete(IReadOnlySet<string> renamed)
    {
        var complete = new List<FoundFile>();
        // One time for all: files that arrived together are complete together, in their order.
        var now = timeProvider.GetUtcNow();
        try
        {
            _claims.CreateFolders();
            complete.AddRange(LeftBehind());
            var files = Regular().ToList();
            var paths = files.Select(file => file.Path).Concat(_moved.Keys).ToHashSet();
            foreach (var gone in _seen.Keys.Where(path => !paths.Contains(path)).ToArray())
                _seen.TryRemove(gone, out _);
            complete.AddRange(
                files
                    .Where(file => IsComplete(file.Path, file.Version, renamed.Contains(file.Path), now))
                    .Concat(WrittenAfterwards(now))
                    .OrderBy(file => file.Version.Written)
                    .ThenBy(file => file.Path, StringComparer.Ordinal)
                    .Select(file => new FoundFile(file.Path, Guid.NewGuid(), false, file.Version))
            );
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(logger, options.Path, exception.Message);
        }
        return complete;
    }

    // In working, and of no file that this process reads.
    private IEnumerable<FoundFile> LeftBehind() =>
        _claims
            .List()
            .Where(each => !_held.ContainsKey(each.Claim))
            .Select(each => new FoundFile(each.Path ?? "", each.Claim, IsClaimed: true, null));

    private IEnumerable<(string Path, FileVersion Version)> Regular()
    {
        if (OperatingSystem.IsLinux())
            PutUndecodableAside();
        foreach (var name in new DirectoryInfo(_path).EnumerateFiles().Select(file => file.Name).Where(IsCandidate).Distinct())
        {
            var path = Path.Combine(_path, name);
            var kind = RegularFile.KindOf(path);
            if (kind == RegularFile.Regular && VersionOf(path) is { } version)
                yield return (path, version);
            else if (kind is not (null or RegularFile.Regular))
                PutAside(Encoding.UTF8.GetBytes(name), ReasonOf(kind));
        }
    }

    private void PutUndecodableAside()
    {
        // .NET shows what it cannot decode as U+FFFD, by which the file cannot be opened.
        if (!new DirectoryInfo(_path).EnumerateFileSystemInfos().Any(entry => entry.Name.Contains('\uFFFD')))
            return;
        foreach (var name in NativeFiles.UndecodableNames(_path).Where(name => IsCandidate(Encoding.UTF8.GetString(name))))
            PutAside(name, "Its name is not valid UTF-8: rename the file and put it into the folder again.");
    }

    private void PutAside(byte[] name, string reason)
    {
        var readable = Encoding.UTF8.GetString(name);
        try
        {
            if (_claims.PutAside(name, reason) is not null)
                LogPutAside(logger, readable, reason);
        }
        // The others are found nevertheless.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(logger, readable, exception.Message);
        }
    }

    private static FileVersion? VersionOf(string path)
    {
        try
        {
            return FileVersion.Of(path);
        }
        // Another process took it.
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    // Files in done and failed that a writer continued after a long pause.
    private IEnumerable<(string Path, FileVersion Version)> WrittenAfterwards(DateTimeOffset now)
    {
        foreach (var (path, moved) in _moved)
        {
            if (now - moved.Since > _afterwards || VersionOf(path) is not { } version)
                _moved.TryRemove(path, out _);
            else if (version.Length > moved.Length && IsComplete(path, version, renamed: false, now))
                yield return (path, version);
        }
    }

    private bool IsComplete(string path, FileVersion version, bool renamed, DateTimeOffset now)
    {
        if (!_seen.TryGetValue(path, out var seen) || seen.Version != version)
            seen = new Sighting(version, now, SettleDelayOf(path), Yielded: false);
        var complete = !seen.Yielded && (renamed || now - seen.Since >= seen.SettleDelay);
        _seen[path] = complete ? seen with { Yielded = true } : seen;
        return complete;
    }

    // A writer that pauses in the middle of a row leaves a row that can be read and is wrong.
    private TimeSpan SettleDelayOf(string path)
    {
        try
        {
            using var file = RegularFile.Open(path);
            Span<byte> start = stackalloc byte[2];
            Span<byte> end = stackalloc byte[2];
            file.ReadExactly(start);
            file.Seek(-end.Length, SeekOrigin.End);
            file.ReadExactly(end);
            // In UTF-16 a line break is two bytes, one of them zero.
            var last = end[1] == 0 ? end[0] : end[1];
            var endsLine = last is (byte)'\n' or (byte)'\r' || (last == 0 && end[0] == 0);
            return start is [0x1F, 0x8B] || endsLine ? options.SettleDelay : options.SettleDelay * FactorWithinLine;
        }
        // It is shorter, or cannot be read.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return options.SettleDelay;
        }
    }

    // Shorter than the poll interval when a file settles before.
    private TimeSpan DelayToNextListing()
    {
        var settling = _seen.Values.Where(seen => !seen.Yielded).Select(seen => seen.Since + seen.SettleDelay).ToArray();
        if (settling.Length == 0)
            return options.PollInterval;
        var settled = settling.Min() - timeProvider.GetUtcNow();
        var soon = settled > TimeSpan.FromMilliseconds(20) ? settled : TimeSpan.FromMilliseconds(20);
        return soon < options.PollInterval ? soon : options.PollInterval;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The folder {Folder} cannot be read and is retried; check that it exists and its permissions: {Reason}"
    )]
    private static partial void LogUnreadable(ILogger logger, string folder, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{File} cannot be ingested and was moved to the folder 'failed': {Reason}"
    )]
    private static partial void LogPutAside(ILogger logger, string file, string reason);

    private sealed record Sighting(FileVersion Version, DateTimeOffset Since, TimeSpan SettleDelay, bool Yielded);
}
