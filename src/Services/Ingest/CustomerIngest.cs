using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Customers;
using Sagas.FileIntake;
using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;
using Sagas.Services.Messages;

namespace Sagas.Services.Ingest;

/// <summary>
/// Turns the rows of a file into customers: in constant memory, with a few statements per batch and several parallel
/// connections.
/// </summary>
public sealed class CustomerIngest(
    NpgsqlDataSource database,
    FileStore store,
    IOptions<IngestOptions> options,
    IOptions<CustomerSyncOptions> crm,
    MessagesOptions rules,
    TimeProvider timeProvider
) : IRowHandler
{
    /// <summary>The kind of these files.</summary>
    public const string FileKind = "customers";

    /// <inheritdoc/>
    public string Kind => FileKind;

    /// <inheritdoc/>
    public FileIntakeOptions Options => options.Value;

    /// <summary>One: the connections of a file use the database fully.</summary>
    public int MaxConcurrentFiles => 1;

    /// <inheritdoc/>
    public async Task<FileOutcome> ProcessAsync(
        IncomingFile file,
        string path,
        Action<FileProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(file);
        using var table = Open(path, file.Length, options.Value, out var problem);
        if (table is null)
            return FileOutcome.Invalid(problem!);
        return await ReadRowsAsync(file, table, progress, cancellationToken) is { } reason
            ? FileOutcome.Failed(reason)
            : FileOutcome.Completed;
    }

    internal static TableReader? Open(string path, long? length, IngestOptions options, out string? problem) =>
        TableReader.Open(
            path,
            new RecordReaderOptions
            {
                Delimiter = options.Delimiter,
                MaxRecordBytes = options.MaxRowBytes,
                Length = length,
            },
            new TableColumns(CustomerColumns.With(options.Columns)),
            out problem
        );

    // Returns why the file was not read to its end; null when it was.
    private async Task<string?> ReadRowsAsync(
        IncomingFile file,
        TableReader table,
        Action<FileProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var start = await store.StartAsync(file.FileId, options.Value.EffectivePartitions, cancellationToken);
        var context = new IngestContext(file, start.Count, crm.Value.Enabled, timeProvider);
        var tracker = new ProgressTracker([.. start], table, progress);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        IngestPartition[] partitions =
        [
            .. start.Select(partition => new IngestPartition(database, context, partition, tracker.Committed)),
        ];
        var waker = new RacingPaymentWaker(database, timeProvider);
        // A partition that fails cancels the others, which would wait for the reader, and the reader for it.
        var running = partitions.Select(partition => CancelAllOnFailureAsync(partition.RunAsync(stop.Token), stop)).ToArray();
        var waking = waker.RunAsync(stop.Token);
        var dispatcher = new RowDispatcher(
            table,
            new CustomerRowReader(table, rules, timeProvider),
            partitions,
            options.Value,
            tracker.Counts
        );
        string? problem = null;
        try
        {
            problem = await dispatcher.RunAsync(stop.Token);
        }
        catch (Exception) when (stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // A partition failed; its exception is thrown below.
        }
        finally
        {
            foreach (var partition in partitions)
                partition.Complete();
            await SettleAsync(running);
            await stop.CancelAsync();
            await waking;
        }
        // Npgsql may report a COPY that was cancelled as a broken connection.
        if (!running.All(partition => partition.IsCompletedSuccessfully))
            cancellationToken.ThrowIfCancellationRequested();
        ThrowFirst(running);
        await waker.FinishAsync(cancellationToken);
        return problem;
    }

    private static async Task CancelAllOnFailureAsync(Task partition, CancellationTokenSource stop)
    {
        try
        {
            await partition;
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
    }

    private static async Task SettleAsync(Task[] partitions)
    {
        foreach (var partition in partitions)
            await partition.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // The partition that failed, rather than those that were cancelled because of it.
    private static void ThrowFirst(Task[] partitions)
    {
        var failed =
            partitions.FirstOrDefault(partition => partition.IsFaulted)
            ?? partitions.FirstOrDefault(partition => partition.IsCanceled);
        failed?.GetAwaiter().GetResult();
    }
}
