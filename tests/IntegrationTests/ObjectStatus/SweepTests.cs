using System.Diagnostics;
using System.Diagnostics.Metrics;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Sagas.IntegrationTests.Host;
using Sagas.Services.ObjectStatus;
using Sagas.Services.ObjectStatus.Fetch;

namespace Sagas.IntegrationTests.ObjectStatus;

[Collection(nameof(HostServers))]
public sealed class SweepTests(HostServers servers)
{
    private const string Expired = "INSERT INTO object_status SELECT 'old-' || n, now() - interval '1 hour' - n * interval '1 microsecond' FROM generate_series(1, {0}) n";
    private const string Count = "SELECT count(*) FROM object_status";

    [Fact]
    public async Task An_object_that_is_not_seen_again_goes_after_its_time_and_is_counted()
    {
        var expired = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                if (instrument.Name == "object_status_expired_total")
                    own.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, removed, _, _) => Interlocked.Add(ref expired, removed));
        listener.Start();
        await using var system = await ObjectStatusSystem.StartAsync(
            servers, ("ObjectStatus:Expiry", "00:00:02"), ("ObjectStatus:SweepInterval", "00:00:00.200"));

        await system.AcceptAsync("gone", "stays");
        await system.SeenAsync(2);
        for (var look = 0; look < 15; look++)
        {
            await system.AcceptAsync("stays");
            await Task.Delay(200);
        }

        Assert.Equal("stays", await system.Host.QueryAsync<string>("SELECT string_agg(object_id, ',') FROM object_status"));
        Assert.Equal(1, Interlocked.Read(ref expired));
        await system.SeenAsync(0);
    }

    [Fact]
    public async Task One_process_sweeps_at_a_time()
    {
        await using var system = await StartAsync();
        await ExecuteAsync(system, Expired, 1200);
        var sweep = Sweep(system);

        await using (var other = NpgsqlDataSource.Create(system.Host.Settings["ConnectionStrings:Postgres"]!))
        await using (var connection = await other.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var command = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({AdvisoryLocks.ObjectSweep})", connection, transaction);
            await command.ExecuteNonQueryAsync();
            Assert.Equal(0, await sweep.SweepAsync(CancellationToken.None));
        }

        Assert.Equal(1200, await sweep.SweepAsync(CancellationToken.None));
        Assert.Equal(0L, await system.Host.QueryAsync<long>(Count));
    }

    [Fact]
    public async Task An_object_that_is_being_seen_is_neither_waited_for_nor_removed()
    {
        await using var system = await StartAsync();
        await ExecuteAsync(system, Expired, 1200);
        await using var other = NpgsqlDataSource.Create(system.Host.Settings["ConnectionStrings:Postgres"]!);
        await using var connection = await other.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var seen = new NpgsqlCommand("UPDATE object_status SET last_seen = now() WHERE object_id = 'old-7'", connection, transaction);
        await seen.ExecuteNonQueryAsync();

        Assert.Equal(1199, await Sweep(system).SweepAsync(CancellationToken.None).WaitAsync(Patience.Long));

        await transaction.CommitAsync();
        Assert.Equal(0, await Sweep(system).SweepAsync(CancellationToken.None));
        Assert.Equal("old-7", await system.Host.QueryAsync<string>("SELECT string_agg(object_id, ',') FROM object_status"));
    }

    [Fact]
    public async Task A_sweep_of_many_rows_delays_no_update()
    {
        await using var system = await StartAsync();
        await ExecuteAsync(system, Expired, 100_000);
        await ExecuteAsync(system, "INSERT INTO object_status SELECT 'new-' || n, now() FROM generate_series(1, {0}) n", 100_000);
        await ExecuteAsync(system, "ANALYZE object_status");
        var writer = system.Host.Services.GetRequiredService<LastSeenWriter>();
        await writer.WriteAsync("old-1", DateTimeOffset.UtcNow);

        var sweeping = Task.Run(() => Sweep(system).SweepAsync(CancellationToken.None));
        var slowest = TimeSpan.Zero;
        var number = 0;
        while (!sweeping.IsCompleted)
        {
            // Both a row that stays and one that the sweep is about to take.
            var watch = Stopwatch.StartNew();
            await Task.WhenAll(writer.WriteAsync($"new-{++number}", DateTimeOffset.UtcNow), writer.WriteAsync($"old-{100_000 - number}", DateTimeOffset.UtcNow));
            slowest = slowest > watch.Elapsed ? slowest : watch.Elapsed;
        }

        await sweeping;
        Assert.True(number > 10, $"Only {number} sightings were written during the sweep.");
        Assert.InRange(slowest, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        // What stays and what was seen meanwhile, whether it was swept before that or not.
        Assert.Equal(100_000L + number + 1, await system.Host.QueryAsync<long>(Count));
    }

    [Fact]
    public async Task The_sweep_reads_the_front_of_its_index()
    {
        await using var system = await StartAsync();
        await ExecuteAsync(system, "INSERT INTO object_status SELECT 'new-' || n, now() FROM generate_series(1, {0}) n", 50_000);
        await ExecuteAsync(system, "ANALYZE object_status");

        var plan = await system.Host.QueryAsync<string>(
            $"""
            EXPLAIN (FORMAT JSON) DELETE FROM object_status WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM object_status
                WHERE last_seen < now() - interval '30 seconds' AND last_seen >= '-infinity' AND (SELECT pg_try_advisory_xact_lock({AdvisoryLocks.ObjectSweep}))
                ORDER BY last_seen LIMIT 500 FOR UPDATE SKIP LOCKED))
            """);

        Assert.Contains("object_status_last_seen", plan);
        Assert.DoesNotContain("Seq Scan", plan);
        Assert.DoesNotContain("\"Sort\"", plan);
    }

    // It sweeps when the test says so.
    private Task<ObjectStatusSystem> StartAsync() => ObjectStatusSystem.StartAsync(
        servers, ("ObjectStatus:Expiry", "00:00:30"), ("ObjectStatus:SweepInterval", "01:00:00"), ("Roles", "status"));

    private static ObjectSweep Sweep(ObjectStatusSystem system) => system.Host.Services.GetServices<IHostedService>().OfType<ObjectSweep>().Single();

    private static async Task ExecuteAsync(ObjectStatusSystem system, string sql, int rows = 0)
    {
        await using var database = NpgsqlDataSource.Create(system.Host.Settings["ConnectionStrings:Postgres"]!);
        await using var command = database.CreateCommand(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, rows));
        await command.ExecuteNonQueryAsync();
    }
}
