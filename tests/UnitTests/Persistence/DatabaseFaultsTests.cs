using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Sagas.Persistence;

namespace Sagas.UnitTests.Persistence;

public sealed class DatabaseFaultsTests
{
    public static TheoryData<Exception, DatabaseFault> Faults =>
        new()
        {
            { new NpgsqlException("gone", new SocketException((int)SocketError.ConnectionRefused)), DatabaseFault.Transient },
            { new NpgsqlException("gone", new IOException()), DatabaseFault.Transient },
            { new SocketException((int)SocketError.HostNotFound), DatabaseFault.Transient },
            { new TimeoutException(), DatabaseFault.Transient },
            {
                new InvalidOperationException("The connection is broken.") { Source = "Npgsql" },
                DatabaseFault.Transient
            },
            { Postgres(PostgresErrorCodes.AdminShutdown), DatabaseFault.Transient },
            { Postgres(PostgresErrorCodes.CannotConnectNow), DatabaseFault.Transient },
            { Postgres(PostgresErrorCodes.SerializationFailure), DatabaseFault.Transient },
            { Postgres(PostgresErrorCodes.DeadlockDetected), DatabaseFault.Transient },
            { Postgres(PostgresErrorCodes.TooManyConnections), DatabaseFault.Transient },
            { Postgres(PostgresErrorCodes.DiskFull), DatabaseFault.Transient },
            { Postgres(PostgresErrorCodes.ReadOnlySqlTransaction), DatabaseFault.Transient },
            { Postgres(PostgresErrorCodes.LockNotAvailable), DatabaseFault.Transient },
            { Postgres(PostgresErrorCodes.QueryCanceled), DatabaseFault.Transient },
            { Postgres("25P03"), DatabaseFault.Transient },
            { Postgres("25P04"), DatabaseFault.Transient },
            { Postgres("26000"), DatabaseFault.Transient },
            { Postgres("42P05"), DatabaseFault.Transient },
            { new DbUpdateException("x", Postgres(PostgresErrorCodes.DeadlockDetected)), DatabaseFault.Transient },
            { new DbUpdateConcurrencyException("x"), DatabaseFault.Transient },
            { Postgres(PostgresErrorCodes.InvalidPassword), DatabaseFault.LoginRejected },
            { Postgres(PostgresErrorCodes.InvalidCatalogName), DatabaseFault.LoginRejected },
            { new DbUpdateException("x", Postgres(PostgresErrorCodes.UniqueViolation)), DatabaseFault.Duplicate },
            { Postgres(PostgresErrorCodes.NotNullViolation), DatabaseFault.InvalidData },
            { Postgres(PostgresErrorCodes.NumericValueOutOfRange), DatabaseFault.InvalidData },
            { Postgres(PostgresErrorCodes.ProgramLimitExceeded), DatabaseFault.InvalidData },
            { Postgres(PostgresErrorCodes.UndefinedTable), DatabaseFault.Other },
            { new NpgsqlException("The server does not support SSL."), DatabaseFault.Other },
            { new InvalidOperationException(), DatabaseFault.None },
            { new IOException(), DatabaseFault.None },
            { new OperationCanceledException(), DatabaseFault.None },
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_classified_by_its_cause(Exception exception, DatabaseFault fault) =>
        Assert.Equal(fault, DatabaseFaults.Classify(exception));

    [Fact]
    public void A_single_exception_is_classified_without_its_causes()
    {
        var exception = new InvalidOperationException("x", new TimeoutException());

        Assert.Equal(DatabaseFault.None, DatabaseFaults.ClassifySingle(exception));
        Assert.Equal(DatabaseFault.Transient, DatabaseFaults.Classify(exception));
    }

    private static PostgresException Postgres(string state) => new("", "ERROR", "ERROR", state);
}
