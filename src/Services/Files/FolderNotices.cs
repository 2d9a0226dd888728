namespace Sagas.Services.Files;

/// <summary>The file system's notices about one folder, where it gives any.</summary>
internal sealed class FolderNotices : IDisposable
{
    private readonly FileSystemWatcher? _watcher;
    private readonly Lock _lock = new();
    private HashSet<string> _renamed = [];
    private TaskCompletionSource _noticed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FolderNotices(string folder)
    {
        try
        {
            _watcher = new FileSystemWatcher(folder);
            _watcher.Created += (_, _) => Notice(null);
            _watcher.Changed += (_, _) => Notice(null);
            _watcher.Renamed += (_, file) => Notice(file.FullPath);
            _watcher.EnableRaisingEvents = true;
        }
        // No notices here, or no more watchers for this user: files are found by polling then.
        catch (Exception exception) when (exception is IOException or PlatformNotSupportedException)
        {
            _watcher?.Dispose();
            _watcher = null;
        }
    }

    /// <summary>The files renamed since this was asked last: they are complete.</summary>
    public IReadOnlySet<string> TakeRenamed()
    {
        lock (_lock)
        {
            var renamed = _renamed;
            _renamed = [];
            _noticed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return renamed;
        }
    }

    /// <summary>Waits for a notice, but not longer than told.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        Task noticed;
        lock (_lock)
            noticed = _noticed.Task;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(noticed, Task.Delay(atMost, time, enough.Token));
        await enough.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose() => _watcher?.Dispose();

    private void Notice(string? renamed)
    {
        lock (_lock)
        {
            if (renamed is not null)
                _renamed.Add(renamed);
            _noticed.TrySetResult();
        }
    }
}
