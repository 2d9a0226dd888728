using System.Diagnostics;
using Npgsql;

namespace Sagas.Services.Ingest;

/// <summary>
/// Wakes payments that crossed their customer's batch. A batch takes a second or two, and a payment that looks for its customer meanwhile does
/// not see it and begins to wait, unseen in turn by the batch, which has looked for waiting payments before. Such a payment would wait until its
/// next redelivery, which can be the longest wait.
/// </summary>
internal sealed class CrossingPayments(NpgsqlDataSource database, TimeProvider time)
{
    private static readonly TimeSpan _shortestPause = TimeSpan.FromMilliseconds(500);

    // Looking takes at most so much of the time: millions of payments may wait for customers that no file has.
    private const int PausePerLook = 20;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    /// <summary>Looks now and then, until it is stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var clock = Stopwatch.GetTimestamp();
                await LookAsync(stop);
                var pause = Stopwatch.GetElapsedTime(clock) * PausePerLook;
                await Task.Delay(pause > _shortestPause ? pause : _shortestPause, time, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            // The lanes meet the same trouble, and tell of it; the look at the end is made after all.
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException or InvalidOperationException)
            {
                return;
            }
        }
    }

    /// <summary>Looks once more when every transaction has ended that began before the last batch was committed: what waits now was seen, and
    /// what looks from now on sees the customers.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var now = new NpgsqlCommand("SELECT clock_timestamp()", connection);
        // By their time: a transaction that has only looked so far has no number yet.
        await using var earlier = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < $1)", connection);
        earlier.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = (DateTime)(await now.ExecuteScalarAsync(cancellationToken))! });
        var clock = Stopwatch.GetTimestamp();
        while (await earlier.ExecuteScalarAsync(cancellationToken) is true && Stopwatch.GetElapsedTime(clock) < _patience)
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, cancellationToken);
        await LookAsync(cancellationToken);
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(IngestSql.PullCrossing);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
