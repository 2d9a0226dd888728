using Npgsql;
using Sagas.FileIntake.Storage;
using Sagas.OutboundCalls;

namespace Sagas.Services.Alerts;

/// <summary>The rows of a file that are enqueued and not delivered.</summary>
/// <param name="Ahead">Due now or in a moment.</param>
/// <param name="Undelivered">All, those that wait for another attempt included.</param>
internal readonly record struct OpenRows(int Ahead, int Undelivered);

/// <summary>The statements on files of alerts.</summary>
internal static class AlertFileRows
{
    /// <summary>A row's alert id: the same each time the row is read.</summary>
    public static string AlertId(Guid file, long line) => $"{file:N}-{line}";

    /// <summary>Reads how much of a file is under way.</summary>
    public static async Task<OpenRows> OpenAsync(NpgsqlDataSource database, Guid file, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT count(*) FILTER (WHERE due < now() + interval '2 s'), count(*)
            FROM outbound_call
            WHERE target = 'alert-webhook' AND correlation_id = $1 AND state IN ('waiting', 'in_flight')
            """
        );
        command.Parameters.Add(new() { Value = file });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return new OpenRows((int)row.GetInt64(0), (int)row.GetInt64(1));
    }

    /// <summary>Enqueues alerts, inserts rejected rows and saves the progress past them in one transaction.</summary>
    /// <exception cref="FileTakenOverException">Another process reads the file now; nothing was changed.</exception>
    public static async Task EnterAsync(
        NpgsqlDataSource database,
        Guid file,
        PartitionProgress from,
        PartitionProgress to,
        IReadOnlyList<AlertRow> rows,
        AlertChain? chain,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var alerts = rows.Where(row => row.IsToSend).ToArray();
        var rejected = rows.Where(row => row.Rejected is not null).Select(row => row.Rejected!).ToArray();
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(FileStore.SaveProgress(file, from, to));
        if (chain is not null)
            batch.BatchCommands.Add(AlertFileVersions.Save(file, chain));
        if (alerts.Length > 0)
            batch.BatchCommands.Add(Alerts(file, alerts));
        if (rejected.Length > 0)
            batch.BatchCommands.Add(RejectedRows.Insert(file, rejected));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        FileStore.ThrowIfTakenOver((NpgsqlBatchCommand)batch.BatchCommands[0]);
        await transaction.CommitAsync(cancellationToken);
    }

    private static NpgsqlBatchCommand Alerts(Guid file, AlertRow[] rows) =>
        CallQueue.EnqueueCommand(
            AlertReceiver.TargetName,
            CallMode.IdempotencyKey,
            Array.ConvertAll(rows, row => new NewCall(AlertId(file, row.Line), row.Alert!.ToJson(), ConversationId: null, file))
        );
}
