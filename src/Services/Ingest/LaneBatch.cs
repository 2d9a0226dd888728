using Npgsql;
using NpgsqlTypes;
using Sagas.Contracts;
using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>What holds for every batch of a file.</summary>
/// <param name="File">The file.</param>
/// <param name="Lanes">How many lanes the file has.</param>
/// <param name="HasCrm">Whether a CRM is told of customers.</param>
/// <param name="Time">The clock.</param>
internal sealed record FileRun(RegisteredFile File, int Lanes, bool HasCrm, TimeProvider Time)
{
    private volatile bool _allAreNew = true;

    /// <summary>No customer of the file was known so far. Then the next batch is inserted without a look at who is known; when that fails, which the
    /// first and small batches of most files that bring known customers do, they are looked for from then on.</summary>
    public bool AllAreNew
    {
        get => _allAreNew;
        set => _allAreNew = value;
    }
}

/// <summary>Some rows of one lane: staged while the file is read, then done in one transaction with the progress past them.</summary>
internal sealed class LaneBatch : IAsyncDisposable
{
    // Each time, somebody else made a customer of the batch between the look and the insert.
    private const int MostAttempts = 50;

    private const string Undo = "ROLLBACK TO SAVEPOINT staged";

    private readonly NpgsqlConnection _connection;
    private readonly FileRun _run;
    private NpgsqlRawCopyStream? _copy;
    private NpgsqlTransaction? _transaction;

    private LaneBatch(NpgsqlConnection connection, FileRun run) => (_connection, _run) = (connection, run);

    /// <summary>Begins a batch.</summary>
    public static async Task<LaneBatch> OpenAsync(NpgsqlDataSource database, FileRun run, CancellationToken cancellationToken)
    {
        var batch = new LaneBatch(await database.OpenConnectionAsync(cancellationToken), run);
        try
        {
            batch._transaction = await batch._connection.BeginTransactionAsync(cancellationToken);
            await batch.ExecuteAsync(cancellationToken, IngestSql.Settings, IngestSql.CreateStaging);
            batch._copy = await batch._connection.BeginRawBinaryCopyAsync(IngestSql.CopyIntoStaging, cancellationToken);
            await batch._copy.WriteAsync(CopyRows.Header, cancellationToken);
            return batch;
        }
        catch
        {
            await batch.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stages rows.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> rows, CancellationToken cancellationToken) => _copy!.WriteAsync(rows, cancellationToken);

    /// <summary>All rows are staged.</summary>
    public async Task EndCopyAsync(CancellationToken cancellationToken)
    {
        await _copy!.WriteAsync(CopyRows.Trailer, cancellationToken);
        await _copy.DisposeAsync();
        _copy = null;
    }

    /// <summary>Does the staged rows and commits.</summary>
    /// <param name="from">How far the lane had come.</param>
    /// <param name="to">How far it comes with this batch, and how many rows it is, taken or rejected.</param>
    /// <param name="rejected">The rejected ones.</param>
    /// <param name="cancellationToken">Stops; nothing is done then.</param>
    /// <returns>How far the lane has come.</returns>
    /// <exception cref="FileTakenOverException">Another process has got further with this file.</exception>
    public async Task<LaneProgress> CommitAsync(
        LaneProgress from, (RecordPosition Next, long Rows) to, IReadOnlyList<RejectedRow> rejected, CancellationToken cancellationToken)
    {
        await LockBucketsAsync(from.Lane, cancellationToken);
        await ExecuteAsync(cancellationToken, "SAVEPOINT staged");
        var taken = to.Rows - rejected.Count;
        var (added, addedBy, changed) = await DoRowsAsync(taken, cancellationToken);
        if (added > 0)
            await ReleasePayments.ReleaseAsync(_connection, _run, addedBy, cancellationToken);
        var progress = new LaneProgress(from.Lane, to.Next, from.Counts + new FileCounts(to.Rows, rejected.Count, added, changed));
        await SaveAsync(from, progress, rejected, cancellationToken);
        // Whether a commit that is cut off has happened is told by the progress.
        await _transaction!.CommitAsync(CancellationToken.None);
        return progress;
    }

    public async ValueTask DisposeAsync()
    {
        // A COPY that was begun and not ended is cancelled; the transaction goes with it.
        if (_copy is not null)
        {
            try
            {
                await _copy.CancelAsync();
            }
            // The connection is broken, which Npgsql may find out by a null here.
            catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException or InvalidOperationException or NullReferenceException)
            {
            }
        }
        if (_transaction is not null)
            await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }

    // The buckets are the same for every file, however many lanes it has: a lane has one or more of them as a whole.
    private async Task LockBucketsAsync(int lane, CancellationToken cancellationToken)
    {
        var each = IngestOptions.MostLanes / _run.Lanes;
        await using var batch = new NpgsqlBatch(_connection) { Timeout = 0 };
        for (var bucket = lane * each; bucket < (lane + 1) * each; bucket++)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(IngestSql.LockBucket) { Parameters = { new NpgsqlParameter<int> { TypedValue = bucket } } });
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<(long Added, string AddedBy, long Changed)> DoRowsAsync(long taken, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var (added, addedBy) = await AddAsync(_run.AllAreNew ? IngestSql.AddAllCustomers : IngestSql.AddNewCustomers, cancellationToken);
                return (added, addedBy, added == taken ? 0 : await ChangeAsync(addedBy, cancellationToken));
            }
            // A customer is known, or a live saga was first with it, or it and this batch wait for each other. The staged rows are still there.
            catch (PostgresException exception) when (attempt < MostAttempts
                && exception.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected)
            {
                _run.AllAreNew = false;
                await ExecuteAsync(cancellationToken, Undo);
            }
        }
    }

    private async Task<(long Added, string AddedBy)> AddAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = Command(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetString(1));
    }

    private async Task<long> ChangeAsync(string addedBy, CancellationToken cancellationToken)
    {
        await ExecuteAsync(cancellationToken, IngestSql.CreateRest);
        await using (var find = new NpgsqlCommand(IngestSql.FindRest, _connection) { CommandTimeout = 0 })
        {
            find.Parameters.AddWithValue("added", NpgsqlDbType.Text, addedBy);
            await find.ExecuteNonQueryAsync(cancellationToken);
        }
        await ExecuteAsync(cancellationToken, IngestSql.LockRest, IngestSql.UseIndexes);
        await using var change = Command(IngestSql.ChangeCustomers);
        var changed = (long)(await change.ExecuteScalarAsync(cancellationToken))!;
        await ExecuteAsync(cancellationToken, IngestSql.UseAnything);
        return changed;
    }

    private async Task SaveAsync(LaneProgress from, LaneProgress to, IReadOnlyList<RejectedRow> rejected, CancellationToken cancellationToken)
    {
        await using var save = new NpgsqlBatch(_connection) { Timeout = 0 };
        if (rejected.Count > 0)
            save.BatchCommands.Add(RejectedRows.Insert(_run.File.FileId, rejected));
        save.BatchCommands.Add(new NpgsqlBatchCommand(IngestSql.WakeRelays));
        var progress = FileRegister.SaveProgress(_run.File.FileId, from, to);
        save.BatchCommands.Add(progress);
        await save.ExecuteNonQueryAsync(cancellationToken);
        if (progress.RecordsAffected != 1)
            throw new FileTakenOverException();
    }

    private NpgsqlCommand Command(string sql) => new(sql, _connection)
    {
        CommandTimeout = 0,
        Parameters =
        {
            new NpgsqlParameter<string>("state", _run.HasCrm ? "Syncing" : "Registered"),
            new NpgsqlParameter<string>("source", _run.File.Name),
            new NpgsqlParameter<DateTimeOffset>("time", _run.File.AcceptedAt),
            new NpgsqlParameter<DateTimeOffset>("now", _run.Time.GetUtcNow()),
            new NpgsqlParameter<Guid>("file", _run.File.FileId),
            new NpgsqlParameter<bool>("crm", _run.HasCrm),
            new NpgsqlParameter<int>("most", SyncCustomers.MostCustomers),
        },
    };

    private async Task ExecuteAsync(CancellationToken cancellationToken, params string[] statements)
    {
        await using var command = new NpgsqlCommand(string.Join(';', statements), _connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
