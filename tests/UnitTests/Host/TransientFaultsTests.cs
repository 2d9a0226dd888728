using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Sagas.Host.Bus;

namespace Sagas.UnitTests.Host;

/// <summary>What the bus makes of a fault. DatabaseFaultsTests has the database's error codes.</summary>
public sealed class TransientFaultsTests
{
    private static PostgresException Postgres(string state) => new("", "ERROR", "ERROR", state);

    public static TheoryData<Exception, string> Faults =>
        new()
        {
            { new InvalidMessageException("no"), nameof(FaultKind.InvalidMessage) },
            { new InvalidOperationException("outer", new InvalidMessageException("no")), nameof(FaultKind.InvalidMessage) },
            { new NpgsqlException("gone", new SocketException((int)SocketError.ConnectionRefused)), nameof(FaultKind.Transient) },
            { Postgres(PostgresErrorCodes.AdminShutdown), nameof(FaultKind.Transient) },
            { Postgres(PostgresErrorCodes.QueryCanceled), nameof(FaultKind.Transient) },
            { Postgres(PostgresErrorCodes.InvalidSqlStatementName), nameof(FaultKind.Transient) },
            { Postgres(PostgresErrorCodes.InvalidPassword), nameof(FaultKind.Transient) },
            { new DbUpdateException("x", Postgres(PostgresErrorCodes.DeadlockDetected)), nameof(FaultKind.Transient) },
            { new DbUpdateConcurrencyException("x"), nameof(FaultKind.Transient) },
            { new DbUpdateException("x", Postgres(PostgresErrorCodes.UniqueViolation)), nameof(FaultKind.Race) },
            { new TimeoutException(), nameof(FaultKind.Transient) },
            { new TaskCanceledException(), nameof(FaultKind.Transient) },
            {
                new RabbitMQ.Client.Exceptions.AlreadyClosedException(
                    new RabbitMQ.Client.Events.ShutdownEventArgs(RabbitMQ.Client.ShutdownInitiator.Peer, 320, "x")
                ),
                nameof(FaultKind.Transient)
            },
            { new AggregateException(new InvalidOperationException(), new TimeoutException()), nameof(FaultKind.Transient) },
            { Postgres(PostgresErrorCodes.UndefinedTable), nameof(FaultKind.Unknown) },
            { Postgres(PostgresErrorCodes.NotNullViolation), nameof(FaultKind.Unknown) },
            { new InvalidOperationException(), nameof(FaultKind.Unknown) },
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_classified_by_its_cause(Exception exception, string kind) =>
        Assert.Equal(kind, TransientFaults.Classify(exception).ToString());
}
