using MassTransit;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>The round trips of groups. Each is a transaction of its own, which the server begins and commits.</summary>
internal sealed class GroupWriter(OutboxDatabase database, OutboxInstance process)
{
    /// <summary>Reads sagas.</summary>
    public async Task LoadAsync<TSaga>(SagaTable<TSaga> table, IReadOnlyList<SagaLoad<TSaga>> loads)
        where TSaga : class, ISaga
    {
        var wanted = loads.ToDictionary(load => load.CorrelationId);
        await using var connection = await database.OpenAsync(CancellationToken.None);
        await using var batch = Begin(connection);
        batch.BatchCommands.Add(table.Load([.. wanted.Keys]));
        await using var reader = await ExecuteAsync(batch);
        while (await reader.ReadAsync())
        {
            var found = table.Read(reader);
            wanted[found.Saga.CorrelationId].Found = found;
        }
    }

    /// <summary>Looks for inbox rows.</summary>
    public async Task FindAsync(IReadOnlyList<InboxLookup> lookups)
    {
        await using var connection = await database.OpenAsync(CancellationToken.None);
        await using var batch = Begin(connection);
        batch.BatchCommands.Add(database.Tables.Inbox.Find([.. lookups.Select(lookup => lookup.Inbox)]));
        await using var reader = await ExecuteAsync(batch);
        var found = new HashSet<(Guid, Guid)>();
        while (await reader.ReadAsync())
            found.Add((reader.GetGuid(0), reader.GetGuid(1)));
        foreach (var lookup in lookups)
            lookup.WasConsumed = found.Contains((lookup.Inbox.MessageId, lookup.Inbox.ConsumerId));
    }

    /// <summary>Writes consumes and commits them; each has its own result.</summary>
    public async Task CommitAsync(IReadOnlyList<GroupedConsume> consumes)
    {
        try
        {
            await WriteAsync(consumes);
        }
        // Nothing was written: one consume may be the cause, and the others must not fail with it.
        catch (Exception exception) when (IsRolledBack(exception))
        {
            if (consumes is [var only])
                Fail(only, exception);
            else
            {
                foreach (var consume in consumes)
                    await CommitAsync([consume]);
            }
        }
        // Whether the commit happened is unknown.
        catch (Exception exception)
        {
            foreach (var consume in consumes)
            {
                consume.Effects.ReleaseInDoubt(process);
                consume.Failure = exception;
            }
        }
    }

    private async Task WriteAsync(IReadOnlyList<GroupedConsume> consumes)
    {
        // Two processes that consume the same messages again enter them in the same order, and do not wait for each other.
        consumes = [.. consumes.OrderBy(consume => consume.Inbox.MessageId)];
        await using var connection = await database.OpenAsync(CancellationToken.None);
        await using var batch = Begin(connection);
        // Chosen as late as possible: it must be alive at the commit.
        var owner = process.OutboxId;
        foreach (var consume in consumes)
            consume.Effects.Own(owner);
        batch.BatchCommands.Add(
            database.Tables.Inbox.EnterAllOrFail([
                .. consumes.Select(consume => (consume.Inbox, consume.Effects.AwaitingRedelivery)),
            ])
        );
        var messages = ConsumeEffects.AddTo(batch, database.Tables, [.. consumes.Select(consume => consume.Effects)]);
        foreach (var changes in consumes.SelectMany(consume => consume.Sagas).ToLookup(change => change.Table))
        {
            foreach (var command in changes.Key.Write([.. changes]))
                batch.BatchCommands.Add(command);
        }

        foreach (var rows in consumes.SelectMany(consume => consume.Rows).ToLookup(row => row.Statement, row => row.Row))
            batch.BatchCommands.Add(rows.Key.Create([.. rows]));
        await using var reader = await ExecuteAsync(batch);
        await ConsumeEffects.ReadNumbersAsync(reader, messages, CancellationToken.None);
    }

    private void Fail(GroupedConsume consume, Exception exception)
    {
        if (exception is PostgresException error && database.Tables.IsConsumedBefore(error))
        {
            consume.WasConsumedBefore = true;
            consume.Failure = exception;
        }
        else
        {
            consume.LeaveOnce(exception.Message);
        }
    }

    private static NpgsqlBatch Begin(OutboxConnection connection) =>
        new(connection.Npgsql) { BatchCommands = { new NpgsqlBatchCommand(PlannerSettings.UseIndexes) } };

    private static async Task<NpgsqlDataReader> ExecuteAsync(NpgsqlBatch batch)
    {
        var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        return reader;
    }

    // The server said so, or the statements could not be sent.
    private static bool IsRolledBack(Exception exception) =>
        exception switch
        {
            PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure } =>
                true,
            PostgresException => DatabaseFaults.ClassifySingle(exception)
                is DatabaseFault.Duplicate
                    or DatabaseFault.InvalidData
                    or DatabaseFault.Other,
            ArgumentException or InvalidCastException or FormatException or OverflowException => true,
            _ => false,
        };
}
