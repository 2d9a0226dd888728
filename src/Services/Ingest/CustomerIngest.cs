using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Customers;
using Sagas.Services.Files;
using Sagas.Services.Messages;

namespace Sagas.Services.Ingest;

/// <summary>
/// Makes customers of the rows of a file: in constant memory, by a few statements per batch, several connections side by side, and so that it
/// goes on after any interruption where it was.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="register">The files that came in.</param>
/// <param name="options">How files are read.</param>
/// <param name="crm">Whether a CRM is told.</param>
/// <param name="rules">What customers must fulfil.</param>
/// <param name="time">The clock.</param>
public sealed class CustomerIngest(
    NpgsqlDataSource database,
    FileRegister register,
    IOptions<IngestOptions> options,
    IOptions<CustomerSyncOptions> crm,
    MessagesOptions rules,
    TimeProvider time)
{
    /// <summary>What these files are called in the register.</summary>
    public const string Kind = "customers";

    /// <summary>Reads a file from where it was left to its end.</summary>
    /// <param name="file">The file, whose <see cref="FileClaim"/> the caller holds.</param>
    /// <param name="path">Where it is.</param>
    /// <param name="progress">Told of each batch that is committed; null: nobody.</param>
    /// <param name="cancellationToken">Stops; what was committed is kept, and the next call goes on there.</param>
    /// <returns>How it ended; the register knows it too.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be read.</exception>
    /// <exception cref="NpgsqlException">The database is away; the file can go on when it is back.</exception>
    public async Task<IngestOutcome> RunAsync(RegisteredFile file, string path, Action<IngestProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.State == FileState.Done)
            return new IngestOutcome(FileState.Done, null, file.Counts);
        var (state, reason) = (FileState.Done, (string?)null);
        try
        {
            using var reader = Open(path, options.Value);
            var (header, problem) = ReadHeader(reader, options.Value);
            if (header is null)
                (state, reason) = (FileState.Refused, problem);
            else if ((reason = await ReadRowsAsync(file, reader, header, progress, cancellationToken)) is not null)
                state = FileState.Stopped;
        }
        catch (InvalidDataException damaged)
        {
            (state, reason) = (FileState.Stopped, damaged.Message);
        }
        await register.FinishAsync(file.FileId, state, reason, cancellationToken);
        var finished = await register.FindAsync(file.FileId, cancellationToken);
        return new IngestOutcome(state, reason, finished!.Counts);
    }

    internal static RecordReader Open(string path, IngestOptions options) =>
        RecordReader.Open(path, new RecordReaderOptions { Delimiter = options.Delimiter, MaxRecordLength = options.MaxRowLength });

    internal static (HeaderMap? Header, string? Problem) ReadHeader(RecordReader reader, IngestOptions options)
    {
        if (!reader.Read())
            return (null, "The file is empty.");
        if (reader.Problem != RecordProblem.None)
            return (null, "The first line is no usable header: it cannot be read.");
        var names = Enumerable.Range(0, reader.FieldCount).Select(field => reader.Text(field).Trim()).ToArray();
        return (HeaderMap.Read(names, CustomerColumns.With(options.Columns), out var problem), problem);
    }

    private async Task<string?> ReadRowsAsync(
        RegisteredFile file, RecordReader reader, HeaderMap header, Action<IngestProgress>? progress, CancellationToken cancellationToken)
    {
        var start = await register.StartAsync(file.FileId, options.Value.EffectiveLanes, cancellationToken);
        var run = new FileRun(file, start.Count, crm.Value.Enabled, time);
        var board = new ProgressBoard([.. start], reader, progress);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var lanes = start.Select(lane => new IngestLane(database, run, lane, board.Committed)).ToArray();
        var crossing = new CrossingPayments(database, time);
        // What fails in one lane ends the others: they would wait for the reader, and it for the lane.
        var running = lanes.Select(lane => StopAllOnFailureAsync(lane.RunAsync(stop.Token), stop)).ToArray();
        var waking = crossing.RunAsync(stop.Token);
        var reading = new FileReading(reader, new CustomerRowReader(header, rules, time), lanes, options.Value, board.Counts);
        string? problem = null;
        try
        {
            problem = await reading.RunAsync(stop.Token);
        }
        catch (Exception) when (stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // A lane failed; which one and why is told below.
        }
        finally
        {
            foreach (var lane in lanes)
                lane.Complete();
            await SettleAsync(running);
            await stop.CancelAsync();
            await waking;
        }
        // Npgsql may report a COPY that was cancelled as a broken connection.
        if (!running.All(lane => lane.IsCompletedSuccessfully))
            cancellationToken.ThrowIfCancellationRequested();
        ThrowFirst(running);
        await crossing.FinishAsync(cancellationToken);
        return problem;
    }

    private static async Task StopAllOnFailureAsync(Task lane, CancellationTokenSource stop)
    {
        try
        {
            await lane;
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
    }

    private static async Task SettleAsync(Task[] lanes)
    {
        foreach (var lane in lanes)
            await ((Task)lane).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // The lane that failed, not those that were stopped because of it.
    private static void ThrowFirst(Task[] lanes)
    {
        var failed = lanes.FirstOrDefault(lane => lane.IsFaulted) ?? lanes.FirstOrDefault(lane => lane.IsCanceled);
        failed?.GetAwaiter().GetResult();
    }
}
