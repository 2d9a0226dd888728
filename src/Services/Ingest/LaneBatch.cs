using System.Buffers;
using Npgsql;
using NpgsqlTypes;
using Sagas.Contracts;
using Sagas.Customers;
using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>What holds for every batch of a file.</summary>
/// <param name="File">The file.</param>
/// <param name="Lanes">How many lanes the file has.</param>
/// <param name="HasCrm">Whether a CRM is told of customers.</param>
/// <param name="Time">The clock.</param>
internal sealed record FileRun(RegisteredFile File, int Lanes, bool HasCrm, TimeProvider Time)
{
    // As much as two batches of all lanes have: a pool that keeps less makes garbage of most of what it is given back.
    private const int BuffersKept = 500;

    private volatile bool _allAreNew = true;

    /// <summary>Memory for rows, which is there as long as the file is read.</summary>
    public ArrayPool<byte> Buffers { get; } = ArrayPool<byte>.Create(CopyRows.Size, BuffersKept);

    /// <summary>No customer of the file was known so far. Then the next batch is copied without a look at who is known; when that fails, which the
    /// first and small batches of most files that bring known customers do, they are looked for from then on.</summary>
    public bool AllAreNew
    {
        get => _allAreNew;
        set => _allAreNew = value;
    }
}

/// <summary>Some rows of one lane, done in one transaction with the progress past them.</summary>
internal sealed class LaneBatch(NpgsqlDataSource database, FileRun run, BatchRows rows)
{
    // Each time, somebody else made a customer of the batch between the look and the insert.
    private const int MostAttempts = 50;

    private const string Undo = "ROLLBACK TO SAVEPOINT staged";

    private string State => CustomerTransitions.RegisterFirst(run.HasCrm).Status.State;

    /// <summary>Ends a COPY that is not to happen; the transaction is to be rolled back then.</summary>
    public static async Task CancelAsync(NpgsqlRawCopyStream copy)
    {
        try
        {
            await copy.CancelAsync();
        }
        // The connection is broken, which Npgsql may find out by a null here.
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException or InvalidOperationException or NullReferenceException)
        {
        }
    }

    /// <summary>Does the rows and commits.</summary>
    /// <param name="from">How far the lane had come.</param>
    /// <param name="to">How far it comes with this batch, and how many rows it is, taken or rejected.</param>
    /// <param name="rejected">The rejected ones.</param>
    /// <param name="cancellationToken">Stops; nothing is done then.</param>
    /// <returns>How far the lane has come.</returns>
    /// <exception cref="FileTakenOverException">Another process has got further with this file.</exception>
    public async Task<LaneProgress> CommitAsync(
        LaneProgress from, (RecordPosition Next, long Rows) to, IReadOnlyList<RejectedRow> rejected, CancellationToken cancellationToken)
    {
        var taken = to.Rows - rejected.Count;
        if (run.AllAreNew && rows.SortUnlessRepeated((int)taken) is { } customers)
        {
            try
            {
                return await CommitAsync(from, to, rejected, (connection, cancel) => CopyAsync(connection, customers, cancel), cancellationToken);
            }
            // A customer is known, or it and this batch wait for each other.
            catch (PostgresException exception) when (IsTaken(exception))
            {
                run.AllAreNew = false;
            }
        }
        return await CommitAsync(from, to, rejected, (connection, cancel) => StageAsync(connection, taken, cancel), cancellationToken);
    }

    private static bool IsTaken(PostgresException exception) =>
        exception.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected;

    private async Task<LaneProgress> CommitAsync(
        LaneProgress from, (RecordPosition Next, long Rows) to, IReadOnlyList<RejectedRow> rejected,
        Func<NpgsqlConnection, CancellationToken, Task<(long Added, long Changed)>> doRows, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockBucketsAsync(connection, from.Lane, cancellationToken);
        var (added, changed) = rejected.Count < to.Rows ? await doRows(connection, cancellationToken) : (0, 0);
        var progress = new LaneProgress(from.Lane, to.Next, from.Counts + new FileCounts(to.Rows, rejected.Count, added, changed));
        await SaveAsync(connection, from, progress, rejected, cancellationToken);
        // Whether a commit that is cut off has happened is told by the progress.
        await transaction.CommitAsync(CancellationToken.None);
        return progress;
    }

    // Customers of whom none is known.
    private async Task<(long Added, long Changed)> CopyAsync(
        NpgsqlConnection connection, ArraySegment<CustomerColumnsOfRow> customers, CancellationToken cancellationToken)
    {
        var copy = new CustomerCopy(connection, customers);
        await copy.InsertAsync(State, run.Time.GetUtcNow(), cancellationToken);
        await copy.InsertHistoryAsync(State, run.File.FileId, cancellationToken);
        string[] ids = [.. customers.Select(customer => customer.CustomerId)];
        if (run.HasCrm)
        {
            await using var queue = Command(connection, IngestSql.QueueCustomers);
            queue.Parameters.Add(new NpgsqlParameter<string[]>("customers", ids));
            await queue.ExecuteNonQueryAsync(cancellationToken);
        }
        await ReleasePayments.ReleaseAsync(connection, run, IngestSql.FindAwaitedOf, new NpgsqlParameter<string[]>("customers", ids), cancellationToken);
        return (customers.Count, 0);
    }

    // Customers of whom some are known, or have several rows.
    private async Task<(long Added, long Changed)> StageAsync(NpgsqlConnection connection, long taken, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, cancellationToken, IngestSql.Settings, IngestSql.CreateStaging);
        await CopyIntoStagingAsync(connection, cancellationToken);
        await ExecuteAsync(connection, cancellationToken, "SAVEPOINT staged");
        var (added, addedBy, changed) = await DoRowsAsync(connection, taken, cancellationToken);
        if (added > 0)
            await ReleasePayments.ReleaseAsync(connection, run, IngestSql.FindAwaited, new NpgsqlParameter<string>("added", addedBy), cancellationToken);
        return (added, changed);
    }

    private async Task CopyIntoStagingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var copy = await connection.BeginRawBinaryCopyAsync(IngestSql.CopyIntoStaging, cancellationToken);
        try
        {
            await copy.WriteAsync(CopyRows.Header, cancellationToken);
            foreach (var piece in rows.Pieces)
                await copy.WriteAsync(piece, cancellationToken);
            await copy.WriteAsync(CopyRows.Trailer, cancellationToken);
        }
        catch
        {
            await CancelAsync(copy);
            throw;
        }
        await copy.DisposeAsync();
    }

    // The buckets are the same for every file, however many lanes it has: a lane has one or more of them as a whole.
    private async Task LockBucketsAsync(NpgsqlConnection connection, int lane, CancellationToken cancellationToken)
    {
        var each = IngestOptions.MostLanes / run.Lanes;
        await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        for (var bucket = lane * each; bucket < (lane + 1) * each; bucket++)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(IngestSql.LockBucket) { Parameters = { new NpgsqlParameter<int> { TypedValue = bucket } } });
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<(long Added, string AddedBy, long Changed)> DoRowsAsync(
        NpgsqlConnection connection, long taken, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var (added, addedBy) = await AddAsync(connection, cancellationToken);
                return (added, addedBy, added == taken ? 0 : await ChangeAsync(connection, addedBy, cancellationToken));
            }
            // A live saga was first with a customer. The staged rows are still there.
            catch (PostgresException exception) when (attempt < MostAttempts && IsTaken(exception))
            {
                await ExecuteAsync(connection, cancellationToken, Undo);
            }
        }
    }

    private async Task<(long Added, string AddedBy)> AddAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, IngestSql.AddNewCustomers);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetString(1));
    }

    private async Task<long> ChangeAsync(NpgsqlConnection connection, string addedBy, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, cancellationToken, IngestSql.CreateRest);
        await using (var find = new NpgsqlCommand(IngestSql.FindRest, connection) { CommandTimeout = 0 })
        {
            find.Parameters.AddWithValue("added", NpgsqlDbType.Text, addedBy);
            await find.ExecuteNonQueryAsync(cancellationToken);
        }
        await ExecuteAsync(connection, cancellationToken, IngestSql.LockRest, IngestSql.UseIndexes);
        await using var change = Command(connection, IngestSql.ChangeCustomers);
        var changed = (long)(await change.ExecuteScalarAsync(cancellationToken))!;
        await ExecuteAsync(connection, cancellationToken, IngestSql.UseAnything);
        return changed;
    }

    private async Task SaveAsync(
        NpgsqlConnection connection, LaneProgress from, LaneProgress to, IReadOnlyList<RejectedRow> rejected, CancellationToken cancellationToken)
    {
        await using var save = new NpgsqlBatch(connection) { Timeout = 0 };
        if (rejected.Count > 0)
            save.BatchCommands.Add(RejectedRows.Insert(run.File.FileId, rejected));
        save.BatchCommands.Add(new NpgsqlBatchCommand(IngestSql.WakeRelays));
        var progress = FileRegister.SaveProgress(run.File.FileId, from, to);
        save.BatchCommands.Add(progress);
        await save.ExecuteNonQueryAsync(cancellationToken);
        if (progress.RecordsAffected != 1)
            throw new FileTakenOverException();
    }

    private NpgsqlCommand Command(NpgsqlConnection connection, string sql) => new(sql, connection)
    {
        CommandTimeout = 0,
        Parameters =
        {
            new NpgsqlParameter<string>("state", State),
            new NpgsqlParameter<DateTimeOffset>("now", run.Time.GetUtcNow()),
            new NpgsqlParameter<Guid>("file", run.File.FileId),
            new NpgsqlParameter<bool>("crm", run.HasCrm),
            new NpgsqlParameter<int>("most", SyncCustomers.MostCustomers),
        },
    };

    private static async Task ExecuteAsync(NpgsqlConnection connection, CancellationToken cancellationToken, params string[] statements)
    {
        await using var command = new NpgsqlCommand(string.Join(';', statements), connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
