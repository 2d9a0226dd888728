using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>Reads the uploads that are on this process's disk, one after the other. What a killed process left goes on at the start.</summary>
internal sealed partial class UploadWorker(
    FileIntake intake, FileRegister register, IOptions<IngestOptions> options, ILogger<UploadWorker> logger) : BackgroundService
{
    private readonly SemaphoreSlim _arrived = new(0);

    /// <summary>Says that an upload is there.</summary>
    public void Wake() => _arrived.Release();

    /// <inheritdoc />
    public override void Dispose()
    {
        base.Dispose();
        _arrived.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                foreach (var upload in await register.OpenUploadsAsync(CustomerIngest.Kind, stoppingToken))
                {
                    // Others are on the disks of other processes.
                    if (File.Exists(upload.Path))
                        await TakeAsync(upload, stoppingToken);
                }
            }
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException or FileTakenOverException or InvalidOperationException or IOException)
            {
                // The next look goes on where this one was.
                LogTrouble(exception.GetBaseException().Message);
            }
            // A dropped wake-up is made good by the next look.
            await _arrived.WaitAsync(options.Value.PollInterval, stoppingToken);
        }
    }

    private async Task TakeAsync(RegisteredFile upload, CancellationToken stoppingToken)
    {
        var (_, outcome, _) = await intake.TakeAsync(upload, upload.Path!, null, stoppingToken);
        LogEnded(upload.FileId, outcome.State, outcome.Counts.Rows, outcome.Counts.Rejected);
        File.Delete(upload.Path!);
    }

    // The reason of one that was refused may quote the file, and so name people; its answer and the table have it.
    [LoggerMessage(Level = LogLevel.Information, Message = "Upload {FileId} is {State}: {Rows} rows, {Rejected} rejected")]
    private partial void LogEnded(Guid fileId, FileState state, long rows, long rejected);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Uploads go on in a moment: {Reason}")]
    private partial void LogTrouble(string reason);
}
