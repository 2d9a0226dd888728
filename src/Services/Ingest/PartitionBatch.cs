using Npgsql;
using NpgsqlTypes;
using Sagas.Contracts;
using Sagas.Customers;
using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;
using Sagas.Persistence;

namespace Sagas.Services.Ingest;

/// <summary>Rows of one partition, processed in one transaction with the progress past them.</summary>
internal sealed class PartitionBatch(NpgsqlDataSource database, IngestContext context, BatchRows rows)
{
    // Each attempt fails when a customer of the batch is added between the look-up and the insert.
    private const int MaxAttempts = 50;

    private const string Undo = "ROLLBACK TO SAVEPOINT staged";

    private string State => CustomerTransitions.RegisterFirst(context.HasCrm).Status.State;

    /// <summary>Processes the rows and commits.</summary>
    /// <param name="from">The progress of the partition before.</param>
    /// <param name="to">Its position after this batch, and the rows of the batch, rejected ones included.</param>
    /// <param name="rejected">The rejected rows.</param>
    /// <param name="cancellationToken">Cancels; the transaction is rolled back.</param>
    /// <returns>The progress of the partition after.</returns>
    /// <exception cref="FileTakenOverException">Another process reads the file now.</exception>
    public async Task<PartitionProgress> CommitAsync(
        PartitionProgress from,
        (RecordPosition Next, long Rows) to,
        IReadOnlyList<RejectedRow> rejected,
        CancellationToken cancellationToken
    )
    {
        var taken = to.Rows - rejected.Count;
        if (context.AllAreNew && rows.SortUnlessRepeated((int)taken) is { } customers)
        {
            try
            {
                return await CommitAsync(
                    from,
                    to,
                    rejected,
                    (connection, token) => CopyAsync(connection, customers, token),
                    cancellationToken
                );
            }
            // A customer is known, or this batch and the transaction that adds it deadlocked.
            catch (PostgresException exception) when (IsConflict(exception))
            {
                context.AllAreNew = false;
            }
        }
        return await CommitAsync(
            from,
            to,
            rejected,
            (connection, token) => StageAsync(connection, taken, token),
            cancellationToken
        );
    }

    private static bool IsConflict(PostgresException exception) =>
        exception.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected;

    private async Task<PartitionProgress> CommitAsync(
        PartitionProgress from,
        (RecordPosition Next, long Rows) to,
        IReadOnlyList<RejectedRow> rejected,
        Func<NpgsqlConnection, CancellationToken, Task<(long Added, long Changed)>> processRows,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockBucketsAsync(connection, from.Partition, cancellationToken);
        var (added, changed) = rejected.Count < to.Rows ? await processRows(connection, cancellationToken) : (0, 0);
        var counts = from.Counts + new FileCounts(to.Rows, rejected.Count, added, changed);
        var progress = new PartitionProgress(from.Partition, to.Next, counts);
        await SaveAsync(connection, from, progress, rejected, cancellationToken);
        // If the connection breaks during the commit, the saved progress shows whether it happened.
        await transaction.CommitAsync(CancellationToken.None);
        return progress;
    }

    // All customers are new.
    private async Task<(long Added, long Changed)> CopyAsync(
        NpgsqlConnection connection,
        ArraySegment<CustomerColumnsOfRow> customers,
        CancellationToken cancellationToken
    )
    {
        var copy = new CustomerCopy(connection, customers);
        await copy.InsertAsync(State, context.TimeProvider.GetUtcNow(), context.File.FileId, cancellationToken);
        string[] ids = [.. customers.Select(customer => customer.CustomerId)];
        if (context.HasCrm)
            await QueueForCrmAsync(connection, ids, cancellationToken);
        await ReleasePayments.ReleaseAsync(
            connection,
            context,
            IngestSql.FindAwaitedOf,
            new NpgsqlParameter<string[]>("customers", ids),
            cancellationToken
        );
        return (customers.Count, 0);
    }

    // Some customers are known, or have several rows.
    private async Task<(long Added, long Changed)> StageAsync(
        NpgsqlConnection connection,
        long taken,
        CancellationToken cancellationToken
    )
    {
        await ExecuteAsync(connection, cancellationToken, IngestSql.Settings, IngestSql.CreateStaging);
        await CopyIntoStagingAsync(connection, cancellationToken);
        await ExecuteAsync(connection, cancellationToken, "SAVEPOINT staged");
        var (added, addedBy, changed) = await MergeAsync(connection, taken, cancellationToken);
        if (added > 0)
        {
            await ReleasePayments.ReleaseAsync(
                connection,
                context,
                IngestSql.FindAwaited,
                new NpgsqlParameter<string>("added", addedBy),
                cancellationToken
            );
        }
        return (added, changed);
    }

    private async Task CopyIntoStagingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Disposing would complete the COPY. On failure the transaction's disposal cancels it, also on a broken connection.
        var copy = await connection.BeginRawBinaryCopyAsync(IngestSql.CopyIntoStaging, cancellationToken);
        await copy.WriteAsync(CopyRows.Header, cancellationToken);
        foreach (var piece in rows.Pieces)
            await copy.WriteAsync(piece, cancellationToken);
        await copy.WriteAsync(CopyRows.Trailer, cancellationToken);
        await copy.DisposeAsync();
    }

    // The buckets do not depend on the number of a file's partitions: a partition covers one bucket or more.
    private async Task LockBucketsAsync(NpgsqlConnection connection, int partition, CancellationToken cancellationToken)
    {
        var each = IngestOptions.MaxPartitions / context.Partitions;
        await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        for (var bucket = partition * each; bucket < (partition + 1) * each; bucket++)
        {
            var parameter = new NpgsqlParameter<int> { TypedValue = bucket };
            batch.BatchCommands.Add(new NpgsqlBatchCommand(IngestSql.LockBucket) { Parameters = { parameter } });
        }
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<(long Added, string AddedBy, long Changed)> MergeAsync(
        NpgsqlConnection connection,
        long taken,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var (added, addedBy) = await AddAsync(connection, cancellationToken);
                return (added, addedBy, added == taken ? 0 : await ChangeAsync(connection, addedBy, cancellationToken));
            }
            // A live saga added a customer first. The staged rows are still there.
            catch (PostgresException exception) when (attempt < MaxAttempts && IsConflict(exception))
            {
                await ExecuteAsync(connection, cancellationToken, Undo);
            }
        }
    }

    private async Task<(long Added, string AddedBy)> AddAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        long added;
        string addedBy;
        string[] toQueue;
        await using (var command = Command(connection, IngestSql.AddNewCustomers))
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            (added, addedBy, toQueue) = (reader.GetInt64(0), reader.GetString(1), reader.GetFieldValue<string[]>(2));
        }
        await QueueForCrmAsync(connection, toQueue, cancellationToken);
        return (added, addedBy);
    }

    // Many customers per message make sending cheap; the limit keeps consuming one short.
    private async Task QueueForCrmAsync(NpgsqlConnection connection, string[] customers, CancellationToken cancellationToken)
    {
        if (customers.Length == 0)
            return;
        var messages = customers.Chunk(SyncCustomers.MaxCustomers).Select(some => new SyncCustomers(some));
        await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        batch.BatchCommands.Add(BulkOutbox.Insert(messages, nameof(SyncCustomers), context.File.FileId, context.TimeProvider));
        await batch.ExecuteNonQueryAsync(cancellationToken);
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
        long changed;
        string[] toQueue;
        await using (var change = Command(connection, IngestSql.ChangeCustomers))
        {
            await using var reader = await change.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            (changed, toQueue) = (reader.GetInt64(0), reader.GetFieldValue<string[]>(1));
        }
        await ExecuteAsync(connection, cancellationToken, IngestSql.UseAnything);
        await QueueForCrmAsync(connection, toQueue, cancellationToken);
        return changed;
    }

    private async Task SaveAsync(
        NpgsqlConnection connection,
        PartitionProgress from,
        PartitionProgress to,
        IReadOnlyList<RejectedRow> rejected,
        CancellationToken cancellationToken
    )
    {
        await using var save = new NpgsqlBatch(connection) { Timeout = 0 };
        if (rejected.Count > 0)
            save.BatchCommands.Add(RejectedRows.Insert(context.File.FileId, rejected));
        save.BatchCommands.Add(new NpgsqlBatchCommand(IngestSql.WakeRelays));
        var progress = FileStore.SaveProgress(context.File.FileId, from, to);
        save.BatchCommands.Add(progress);
        await save.ExecuteNonQueryAsync(cancellationToken);
        FileStore.ThrowIfTakenOver(progress);
    }

    private NpgsqlCommand Command(NpgsqlConnection connection, string sql) =>
        new(sql, connection)
        {
            CommandTimeout = 0,
            Parameters =
            {
                new NpgsqlParameter<string>("state", State),
                new NpgsqlParameter<DateTimeOffset>("now", context.TimeProvider.GetUtcNow()),
                new NpgsqlParameter<Guid>("file", context.File.FileId),
                new NpgsqlParameter<bool>("crm", context.HasCrm),
            },
        };

    private static async Task ExecuteAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken,
        params string[] statements
    )
    {
        await using var command = new NpgsqlCommand(string.Join(';', statements), connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
