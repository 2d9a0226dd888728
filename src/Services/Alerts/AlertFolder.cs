using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Services.Files;
using Sagas.Services.Ledger;

namespace Sagas.Services.Alerts;

/// <summary>Enters the files that are put into <see cref="AlertsOptions.Folder"/>, several side by side, and moves them to
/// <c>done</c> or <c>failed</c>.</summary>
internal sealed partial class AlertFolder : BackgroundService
{
    // Files that are read side by side take turns with each row; the others wait, in the order in which they came.
    private const int MostAtOnce = 64;

    private static readonly TimeSpan _again = TimeSpan.FromSeconds(3);

    private readonly AlertsOptions _options;
    private readonly AlertFileIntake _intake;
    private readonly RejectedRows _rejected;
    private readonly WatchedFolder? _folder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _places = new(MostAtOnce);

    public AlertFolder(
        IOptions<AlertsOptions> options, NpgsqlDataSource database, FileRegister register, RejectedRows rejected, LedgerSignal<AlertReceiver> signal,
        TimeProvider time, ILoggerFactory loggers)
    {
        _options = options.Value;
        _intake = new(database, register, options.Value, time, signal.Raise);
        (_rejected, _time, _logger) = (rejected, time, loggers.CreateLogger<AlertFolder>());
        if (options.Value.Folder is { } path)
            _folder = new WatchedFolder(new WatchedFolderOptions { Path = path }, time, loggers.CreateLogger<WatchedFolder>());
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _places.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_options.Secrets.Contains(AlertsOptions.DevelopmentSecret, StringComparison.Ordinal))
            LogDevelopmentSecret(_logger);
        if (_folder is null)
            return;
        var reading = new HashSet<Task>();
        try
        {
            await foreach (var path in _folder.FilesAsync(stoppingToken))
            {
                await _places.WaitAsync(stoppingToken);
                reading.RemoveWhere(task => task.IsCompleted);
                reading.Add(ReadAsync(_folder, path, stoppingToken));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What is being read goes on later, here or in another process.
        }

        await Task.WhenAll(reading);
    }

    private async Task ReadAsync(WatchedFolder folder, string path, CancellationToken stopping)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (!await TryReadAsync(folder, path, stopping))
                await Task.Delay(_again, _time, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // As above.
        }
        finally
        {
            _places.Release();
        }
    }

    // False: later.
    private async Task<bool> TryReadAsync(WatchedFolder folder, string path, CancellationToken stopping)
    {
        var name = Path.GetFileName(path);
        try
        {
            var result = await _intake.RunAsync(path, name, null, stopping);
            if (result is { Rejected: > 0, End: not FileEnd.Elsewhere })
                await _rejected.WriteBesideAsync(result.FileId, path, stopping);
            switch (result.End)
            {
                case FileEnd.Elsewhere:
                    return false;
                case FileEnd.Failed:
                    LogFailed(_logger, result.FileId, result.Reason);
                    folder.MoveToFailed(path, result.Reason ?? "It cannot be read.");
                    return true;
                default:
                    LogEntered(_logger, result.FileId, result.End, result.Rows, result.Rejected);
                    folder.MoveToDone(path);
                    return true;
            }
        }
        // Another process that reads the same folder has moved it.
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return true;
        }
        // The database or the disk is away: what was entered stays, and reading goes on behind it.
        catch (Exception exception) when (exception is NpgsqlException or IOException or UnauthorizedAccessException or TimeoutException)
        {
            LogAgain(_logger, exception, name, _again);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Alerts are signed with the development secret, which everyone can read in the repository: set Alerts:Secrets before anyone relies on it")]
    private static partial void LogDevelopmentSecret(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "File {File} of alerts is {End}: {Rows} rows, {Rejected} rejected")]
    private static partial void LogEntered(ILogger logger, Guid file, FileEnd end, long rows, long rejected);

    [LoggerMessage(Level = LogLevel.Warning, Message = "File {File} of alerts cannot be used: {Reason}")]
    private static partial void LogFailed(ILogger logger, Guid file, string? reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "File {Name} of alerts cannot be read now; again in {Again}")]
    private static partial void LogAgain(ILogger logger, Exception exception, string name, TimeSpan again);
}
