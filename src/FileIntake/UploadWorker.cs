using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sagas.FileIntake.Storage;
using Sagas.Persistence;

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
        catch (Exception exception) when (DatabaseFaults.Classify(exception) != DatabaseFault.None)
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
            when (exception is IOException or UnauthorizedAccessException
                || DatabaseFaults.Classify(exception) != DatabaseFault.None
            )
        {
            LogInterrupted(handler.Kind, upload.FileId, handler.Options.PollInterval, exception.GetBaseException().Message);
        }
        // A defect: the other uploads need not wait for its repair.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogDefect(exception, handler.Kind, upload.FileId);
            await FailAsync(upload, FileOutcome.Defect(exception), cancellationToken);
        }
        finally
        {
            _reading.TryRemove(upload.FileId, out _);
        }
    }

    private async Task FailAsync(IncomingFile upload, FileOutcome outcome, CancellationToken cancellationToken)
    {
        try
        {
            await store.FinishAsync(upload.FileId, outcome.State, outcome.Reason, cancellationToken);
        }
        // It is still open and is read again.
        catch (Exception exception) when (DatabaseFaults.Classify(exception) != DatabaseFault.None)
        {
            LogInterrupted(handler.Kind, upload.FileId, handler.Options.PollInterval, exception.GetBaseException().Message);
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

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Reading the upload {FileId} of {Kind} failed because of a defect; upload the file again after its repair"
    )]
    private partial void LogDefect(Exception exception, string kind, Guid fileId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Uploads cannot be listed; retrying in {Delay}: {Reason}")]
    private partial void LogUnavailable(TimeSpan delay, string reason);
}
