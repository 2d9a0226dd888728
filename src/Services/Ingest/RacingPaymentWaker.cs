using System.Diagnostics;
using Npgsql;
using Sagas.Persistence;

namespace Sagas.Services.Ingest;

/// <summary>
/// Wakes payments that race with their customer's batch. A batch takes a second or two. A payment that looks for its customer
/// in the meantime does not see it and starts to wait, after the batch has looked for waiting payments. Without this it would
/// wait until its next redelivery, which can be the longest delay.
/// </summary>
internal sealed class RacingPaymentWaker(NpgsqlDataSource database, TimeProvider timeProvider)
{
    private static readonly TimeSpan _minDelay = TimeSpan.FromMilliseconds(500);

    // The delay is this multiple of the query's time: millions of payments may wait for customers that are in no file.
    private const int DelayPerQuery = 20;

    private const int PaymentsPerQuery = 5000;

    private static readonly TimeSpan _transactionTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Looks for such payments at intervals, until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var started = Stopwatch.GetTimestamp();
                await WakeAsync(cancellationToken);
                var delay = Stopwatch.GetElapsedTime(started) * DelayPerQuery;
                await Task.Delay(delay > _minDelay ? delay : _minDelay, timeProvider, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            // The partitions meet and report the same failure.
            catch (Exception exception)
                when (DatabaseFaults.Classify(exception) is not DatabaseFault.None || exception is InvalidOperationException)
            {
                return;
            }
        }
    }

    /// <summary>Looks once more when every transaction has ended that began before the last batch was committed. Payments
    /// that wait now are found, and later ones see the customers.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var now = new NpgsqlCommand("SELECT clock_timestamp()", connection);
        // By their time, since a transaction that has only read has no number yet.
        await using var earlier = new NpgsqlCommand(
            """
            SELECT EXISTS (
                SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < $1)
            """,
            connection
        );
        var time = (DateTime)(await now.ExecuteScalarAsync(cancellationToken))!;
        earlier.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time });
        var started = Stopwatch.GetTimestamp();
        while (
            await earlier.ExecuteScalarAsync(cancellationToken) is true && Stopwatch.GetElapsedTime(started) < _transactionTimeout
        )
            await Task.Delay(TimeSpan.FromMilliseconds(20), timeProvider, cancellationToken);
        await WakeAsync(cancellationToken);
    }

    private async Task WakeAsync(CancellationToken cancellationToken)
    {
        await using var find = database.CreateCommand(IngestSql.FindWaitingPayments);
        find.CommandTimeout = 0;
        await using var waiting = await find.ExecuteReaderAsync(cancellationToken);
        var (customers, tokens) = (new List<Guid>(), new List<Guid>());
        while (await waiting.ReadAsync(cancellationToken))
        {
            customers.Add(SagaIdentity.Customer(waiting.GetString(0)));
            tokens.Add(waiting.GetGuid(1));
            if (customers.Count == PaymentsPerQuery)
                await WakeAsync(customers, tokens, cancellationToken);
        }
        if (customers.Count > 0)
            await WakeAsync(customers, tokens, cancellationToken);
    }

    private async Task WakeAsync(List<Guid> customers, List<Guid> tokens, CancellationToken cancellationToken)
    {
        await using var wake = database.CreateCommand(IngestSql.WakeRacingPayments);
        wake.CommandTimeout = 0;
        wake.Parameters.Add(new NpgsqlParameter<Guid[]>("customers", [.. customers]));
        wake.Parameters.Add(new NpgsqlParameter<Guid[]>("tokens", [.. tokens]));
        await wake.ExecuteNonQueryAsync(cancellationToken);
        customers.Clear();
        tokens.Clear();
    }
}
