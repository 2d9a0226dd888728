using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>Decides whether a failure comes from the database, and whether to try again.</summary>
public static class DatabaseFaults
{
    // Npgsql has no names for these.
    private const string IdleInTransactionSessionTimeout = "25P03";
    private const string TransactionTimeout = "25P04";

    /// <summary>Classifies an exception by the first cause that is known, from the outermost inwards.</summary>
    public static DatabaseFault Classify(Exception exception)
    {
        for (var current = exception; current is not null; current = current.InnerException)
        {
            if (ClassifySingle(current) is var fault and not DatabaseFault.None)
                return fault;
        }

        return DatabaseFault.None;
    }

    /// <summary>Classifies an exception without its causes.</summary>
    public static DatabaseFault ClassifySingle(Exception exception) =>
        exception switch
        {
            PostgresException postgres => ClassifyState(postgres),
            NpgsqlException { IsTransient: true } or SocketException or TimeoutException => DatabaseFault.Transient,
            NpgsqlException => DatabaseFault.Other,
            DbUpdateConcurrencyException => DatabaseFault.Transient,
            // Npgsql calls the use of a connection that broke a moment before an invalid operation.
            InvalidOperationException { Source: nameof(Npgsql) } => DatabaseFault.Transient,
            _ => DatabaseFault.None,
        };

    private static DatabaseFault ClassifyState(PostgresException exception) =>
        exception.SqlState switch
        {
            PostgresErrorCodes.UniqueViolation => DatabaseFault.Duplicate,
            PostgresErrorCodes.InvalidPassword
            or PostgresErrorCodes.InvalidAuthorizationSpecification
            or PostgresErrorCodes.InvalidCatalogName => DatabaseFault.LoginRejected,
            PostgresErrorCodes.SerializationFailure
            or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.LockNotAvailable => DatabaseFault.Transient,
            // A limit on a statement, a transaction or an idle session ended the attempt, or an administrator did.
            PostgresErrorCodes.QueryCanceled or IdleInTransactionSessionTimeout or TransactionTimeout => DatabaseFault.Transient,
            // A pooler moved the session to another connection: the statement was prepared on the one before.
            PostgresErrorCodes.InvalidSqlStatementName or PostgresErrorCodes.DuplicatePreparedStatement =>
                DatabaseFault.Transient,
            // The server is a standby for the moment: a failover is under way.
            PostgresErrorCodes.ReadOnlySqlTransaction => DatabaseFault.Transient,
            // 08 connection, 53 resources, 57P operator intervention, 58 system error.
            ['0', '8', ..] or ['5', '3', ..] or ['5', '7', 'P', ..] or ['5', '8', ..] => DatabaseFault.Transient,
            // 22 data exception, 23 constraint violation, 54 limit exceeded.
            ['2', '2', ..] or ['2', '3', ..] or ['5', '4', ..] => DatabaseFault.InvalidData,
            _ => exception.IsTransient ? DatabaseFault.Transient : DatabaseFault.Other,
        };
}
