using MassTransit.EntityFrameworkCoreIntegration;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>Messages that are published once their statement is committed, individually and in no order.</summary>
public sealed class OutboxBatch
{
    private readonly IReadOnlyList<OutboxMessage> _rows;
    private readonly OutboxSql _sql;
    private readonly OutboxSignal _signal;

    internal OutboxBatch(IReadOnlyList<OutboxMessage> rows, OutboxSql sql, OutboxSignal signal) =>
        (_rows, _sql, _signal) = (rows, sql, signal);

    /// <summary>The statement that inserts the messages; a new command each time.</summary>
    public NpgsqlBatchCommand Insert() => _sql.InsertMessages(_rows);

    /// <summary>
    /// Wakes this process's relay after the statement was committed; otherwise its next poll finds the messages.
    /// </summary>
    public void Committed() => _signal.Set();
}
