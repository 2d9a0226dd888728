using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Sagas.FileIntake.Storage;

namespace Sagas.FileIntake;

/// <summary>Processes the uploads on this process's disk, those of a killed process included.</summary>
internal sealed partial class UploadWorker(
    IRowHandler handler,
    FileStore store,
    TimeProvider timeProvider,
    ILogger<UploadWorker> logger
) : BackgroundService
{
    private readonly FileProcessor _processor = new(handler, store, timeProvider);
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly ConcurrentDictionary<Guid, bool> _reading = [];

    public IRowHandler Handler => handler;

    /// <summary>Looks for uploads now.</summary>
    public void Wake() => _arrived.Release();

    /// <inheritdoc />
    public override void Dispose()
    {
        base.Dispose();
        _arrived.Dispose();
    }

    /// <inheritdoc />
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Parallel.ForEachAsync(
            UploadsAsync(stoppingToken),
            new ParallelOptions { MaxDegreeOfParallelism = handler.MaxConcurrentFiles, CancellationToken = stoppingToken },
            ProcessAsync
        );

    private async IAsyncEnumerable<IncomingFile> UploadsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            foreach (var upload in await OpenUploadsAsync(cancellationToken))
            {
                // Others are on the disks of other processes.
                if (File.Exists(upload.Path) && _reading.TryAdd(upload.FileId, true))
                    yield return upload;
            }
            await _arrived.WaitAsync(handler.Options.PollInterval, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<IncomingFile>> OpenUploadsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await store.OpenUploadsAsync(handler.Kind, cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            LogUnavailable(handler.Options.PollInterval, exception.GetBaseException().Message);
            return [];
        }
    }

    private async ValueTask ProcessAsync(IncomingFile upload, CancellationToken cancellationToken)
    {
        try
        {
            if (await _processor.TryProcessAsync(upload, upload.Path!, null, cancellationToken) is not { } result)
                return;
            if (!result.WasCompleted)
                LogFinished(handler.Kind, upload.FileId, result.File.State, result.File.Counts.Rows, result.File.Counts.Rejected);
            File.Delete(upload.Path!);
        }
        catch (Exception exception)
            when (exception
                    is NpgsqlException
                        or TimeoutException
                        or InvalidOperationException
                        or IOException
                        or UnauthorizedAccessException
            )
        {
            LogInterrupted(handler.Kind, upload.FileId, handler.Options.PollInterval, exception.GetBaseException().Message);
        }
        finally
        {
            _reading.TryRemove(upload.FileId, out _);
        }
    }

    // The reason of a failure may quote the file, and so personal data; the answer and the table have it.
    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Upload {FileId} of {Kind} is {State}: {Rows} rows, {Rejected} rejected"
    )]
    private partial void LogFinished(string kind, Guid fileId, FileState state, long rows, long rejected);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Reading the upload {FileId} of {Kind} was interrupted and continues in {Delay}: {Reason}"
    )]
    private partial void LogInterrupted(string kind, Guid fileId, TimeSpan delay, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Uploads cannot be listed; retrying in {Delay}: {Reason}")]
    private partial void LogUnavailable(TimeSpan delay, string reason);
}
