namespace Sagas.FileIntake.Folders;

/// <summary>Notifications about changes in a folder, where the file system sends any.</summary>
internal sealed class FolderNotifications : IDisposable
{
    private readonly FileSystemWatcher? _watcher;
    private readonly Lock _lock = new();
    private HashSet<string> _renamed = [];
    private TaskCompletionSource _notified = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FolderNotifications(string folder)
    {
        try
        {
            _watcher = new FileSystemWatcher(folder);
            _watcher.Created += (_, _) => Notify(null);
            _watcher.Changed += (_, _) => Notify(null);
            _watcher.Renamed += (_, file) => Notify(file.FullPath);
            _watcher.EnableRaisingEvents = true;
        }
        // Not supported here, or the user has no watchers left: polling finds the files.
        catch (Exception exception) when (exception is IOException or PlatformNotSupportedException)
        {
            _watcher?.Dispose();
            _watcher = null;
        }
    }

    /// <summary>The files that were renamed into the folder since the last call: they are complete.</summary>
    public IReadOnlySet<string> TakeRenamed()
    {
        lock (_lock)
        {
            var renamed = _renamed;
            _renamed = [];
            _notified = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return renamed;
        }
    }

    /// <summary>Waits for a notification or a timeout.</summary>
    public async Task WaitAsync(TimeSpan timeout, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        Task notified;
        lock (_lock)
            notified = _notified.Task;
        using var delay = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(notified, Task.Delay(timeout, timeProvider, delay.Token));
        await delay.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose() => _watcher?.Dispose();

    private void Notify(string? renamed)
    {
        lock (_lock)
        {
            if (renamed is not null)
                _renamed.Add(renamed);
            _notified.TrySetResult();
        }
    }
}
