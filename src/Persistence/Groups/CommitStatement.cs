using MassTransit;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>
/// Inserts rows with the commit of the consumes that add them: those of many messages by one statement. Create it once, and add
/// rows with <see cref="CommitStatementExtensions.TryAddToCommit{TRow}"/>.
/// </summary>
/// <typeparam name="TRow">A row.</typeparam>
/// <param name="create">
/// Makes the statement for rows: <c>INSERT</c>, <c>UPDATE</c> or <c>DELETE</c> with positional parameters and without
/// <c>RETURNING</c>. It must change one row of the database for each of them; where it does not, the messages are consumed
/// again, each in a transaction of its own.
/// </param>
public sealed class CommitStatement<TRow>(Func<IReadOnlyList<TRow>, NpgsqlBatchCommand> create) : ICommitStatement
    where TRow : class
{
    NpgsqlBatchCommand ICommitStatement.Create(IReadOnlyList<object> rows) =>
        SagaTable.Require(create([.. rows.Cast<TRow>()]), rows.Count);
}

/// <summary>A statement whose rows are collected.</summary>
internal interface ICommitStatement
{
    /// <summary>The statement for some rows; it fails unless it changes as many.</summary>
    NpgsqlBatchCommand Create(IReadOnlyList<object> rows);
}

/// <summary>Adds to the commit of a consume.</summary>
public static class CommitStatementExtensions
{
    /// <summary>
    /// Adds a row to the commit of the message that is being consumed, where it shares a transaction with other messages. A
    /// consumer that asks for this and does nothing else to the database is consumed so from its second message on.
    /// </summary>
    /// <typeparam name="TRow">The row.</typeparam>
    /// <param name="context">The consume.</param>
    /// <param name="statement">Writes it.</param>
    /// <param name="row">The row.</param>
    /// <returns>False: the consume has a transaction of its own, or none. The consumer writes the row itself.</returns>
    public static bool TryAddToCommit<TRow>(this ConsumeContext context, CommitStatement<TRow> statement, TRow row)
        where TRow : class
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!context.TryGetPayload<IConsumeTransactionContext>(out var consume))
            return false;
        if (consume.Transaction is not GroupedConsume grouped)
        {
            consume.AddsToCommit = true;
            return false;
        }

        grouped.Add(statement, row);
        return true;
    }
}
