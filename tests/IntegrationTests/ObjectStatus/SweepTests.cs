using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Sagas.IntegrationTests.Host;
using Sagas.Services.ObjectStatus;
using Sagas.Services.ObjectStatus.Fetch;

namespace Sagas.IntegrationTests.ObjectStatus;

public sealed class SweepTests(ServersFixture servers, SharedStatus shared)
    : IClassFixture<ServersFixture>,
        IClassFixture<SharedStatus>
{
    private const string Expired =
        "INSERT INTO object_status "
        + "SELECT 'old-' || n, now() - interval '1 hour' - n * interval '1 microsecond' FROM generate_series(1, {0}) n";
    private const string Count = "SELECT count(*) FROM object_status";

    [Fact]
    public async Task An_object_that_is_not_seen_again_is_removed_after_the_timeout_and_counted()
    {
        await using var system = await ObjectStatusSystem.StartAsync(
            servers,
            ("ObjectStatus:ExpiryTimeout", "01:00:00"),
            ("ObjectStatus:SweepInterval", "00:00:00.200")
        );
        var (expired, meters) = (0L, system.Host.Services.GetRequiredService<IMeterFactory>());
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                // Only this process: other tests run in parallel.
                if (instrument.Name == "sagas.object_status.expired" && instrument.Meter.Scope == meters)
                    own.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, removed, _, _) => Interlocked.Add(ref expired, removed));
        listener.Start();

        await system.AcceptAsync("gone", "stays");
        await system.SeenAsync(2);
        await ElapseAsync(system, minutes: 40);
        await system.AcceptAsync("stays");
        await system.Host.WaitForAsync(
            "SELECT last_seen > now() - interval '30 minutes' FROM object_status WHERE object_id = 'stays'",
            true
        );
        await ElapseAsync(system, minutes: 40);

        await system.SeenAsync(1);
        Assert.Equal("stays", await system.Host.QueryAsync<string>("SELECT string_agg(object_id, ',') FROM object_status"));
        await ElapseAsync(system, minutes: 40);
        await system.SeenAsync(0);
        await Eventually.EqualAsync(2L, () => Interlocked.Read(ref expired));
    }

    [Fact]
    public async Task One_process_sweeps_at_a_time()
    {
        var system = await shared.EmptyAsync();
        await ExecuteAsync(system, Expired, 1200);
        var sweep = Sweep(system);

        await using (var other = NpgsqlDataSource.Create(system.Host.Settings["ConnectionStrings:Postgres"]!))
        await using (var connection = await other.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var command = new NpgsqlCommand(
                $"SELECT pg_advisory_xact_lock({ObjectSweep.AdvisoryLock})",
                connection,
                transaction
            );
            await command.ExecuteNonQueryAsync();
            Assert.Equal(0, await sweep.CleanUpAsync(CancellationToken.None));
        }

        Assert.Equal(1200, await sweep.CleanUpAsync(CancellationToken.None));
        Assert.Equal(0L, await system.Host.QueryAsync<long>(Count));
    }

    [Fact]
    public async Task An_object_whose_update_is_in_progress_is_skipped()
    {
        var system = await shared.EmptyAsync();
        await ExecuteAsync(system, Expired, 1200);
        await using var other = NpgsqlDataSource.Create(system.Host.Settings["ConnectionStrings:Postgres"]!);
        await using var connection = await other.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var seen = new NpgsqlCommand(
            "UPDATE object_status SET last_seen = now() WHERE object_id = 'old-7'",
            connection,
            transaction
        );
        await seen.ExecuteNonQueryAsync();

        Assert.Equal(1199, await Sweep(system).CleanUpAsync(CancellationToken.None).WaitAsync(Eventually.Timeout));

        await transaction.CommitAsync();
        Assert.Equal(0, await Sweep(system).CleanUpAsync(CancellationToken.None));
        Assert.Equal("old-7", await system.Host.QueryAsync<string>("SELECT string_agg(object_id, ',') FROM object_status"));
    }

    [Fact]
    public async Task A_sweep_of_many_rows_locks_a_few_at_a_time_and_delays_no_update()
    {
        var system = await shared.EmptyAsync();
        await ExecuteAsync(system, Expired, 1200);
        await ExecuteAsync(system, "INSERT INTO object_status SELECT 'new-' || n, now() FROM generate_series(1, {0}) n", 100);
        // The end of each batch waits while the gate is closed.
        var database = system.Host.Settings["ConnectionStrings:Postgres"]!;
        await AdvisoryLockGate.BuildAsync(database, "object_status", "AFTER DELETE");
        var writer = system.Host.Services.GetRequiredService<LastSeenWriter>();
        await writer.WriteAsync("warm", DateTimeOffset.UtcNow);

        var firstBatch = await AdvisoryLockGate.CloseAsync(database);
        var sweeping = Sweep(system).CleanUpAsync(CancellationToken.None);
        await firstBatch.ReachedAsync();
        // Queues for the gate behind the first batch and ahead of the second.
        var closing = AdvisoryLockGate.CloseAsync(database);
        await firstBatch.ReachedAsync(2);
        await firstBatch.DisposeAsync();
        await using (var secondBatch = await closing)
        {
            await secondBatch.ReachedAsync();
            Assert.Equal(
                301L,
                await system.Host.QueryAsync<long>("SELECT count(*) FROM (SELECT FROM object_status FOR UPDATE SKIP LOCKED) free")
            );
            // An object that stays, one that the sweep has not reached, and one that it removed first.
            await Task.WhenAll(
                    ((string[])["new-1", "old-1", "old-1200"]).Select(id => writer.WriteAsync(id, DateTimeOffset.UtcNow))
                )
                .WaitAsync(Eventually.Timeout);
            Assert.False(sweeping.IsCompleted);
        }

        Assert.Equal(1199, await sweeping);
        // The objects that stay and those seen during the sweep, removed before or not.
        Assert.Equal(103L, await system.Host.QueryAsync<long>(Count));
    }

    [Fact]
    public async Task The_sweep_reads_the_front_of_its_index()
    {
        var system = await shared.EmptyAsync();
        await ExecuteAsync(system, "INSERT INTO object_status SELECT 'new-' || n, now() FROM generate_series(1, {0}) n", 10_000);
        await ExecuteAsync(system, "ANALYZE object_status");

        var plan = await system.Host.QueryAsync<string>(
            $"""
            EXPLAIN (FORMAT JSON) DELETE FROM object_status WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM object_status
                WHERE last_seen < now() - interval '30 seconds' AND last_seen >= '-infinity'
                  AND (SELECT pg_try_advisory_xact_lock({ObjectSweep.AdvisoryLock}))
                ORDER BY last_seen LIMIT 500 FOR UPDATE SKIP LOCKED))
            """
        );

        Assert.Contains("object_status_last_seen", plan);
        Assert.DoesNotContain("Seq Scan", plan);
        Assert.DoesNotContain("\"Sort\"", plan);
    }

    private static ObjectSweep Sweep(ObjectStatusSystem system) =>
        system.Host.Services.GetServices<IHostedService>().OfType<ObjectSweep>().Single();

    // Moves the last sighting of all objects into the past.
    private static Task ElapseAsync(ObjectStatusSystem system, int minutes) =>
        ExecuteAsync(system, "UPDATE object_status SET last_seen = last_seen - {0} * interval '1 minute'", minutes);

    private static Task ExecuteAsync(ObjectStatusSystem system, string sql, int number = 0) =>
        system.Host.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, number));
}
