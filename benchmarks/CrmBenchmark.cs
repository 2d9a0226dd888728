using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Demo;
using Sagas.Contracts;
using CommandException = Sagas.Cli.CommandLine.CommandException;

namespace Sagas.Benchmarks;

/// <summary>How fast customers reach a CRM of given latency that works on a given number of calls at once.</summary>
internal sealed class CrmBenchmark(Terminal terminal, Action<string> log)
{
    /// <summary>The CRM's answer takes this long, milliseconds.</summary>
    public const int LatencyMs = 10;

    // The last few wait for the delays of their retries, with nothing left to do: not part of the rate.
    private const double Counted = 0.95;

    // Customers as an ingest leaves them: known, and waiting for the CRM.
    private const string InsertCustomers = """
        INSERT INTO customer_state (
            correlation_id, customer_id, current_state, first_name, last_name, email, phone, source, registered_at,
            version, created_at, updated_at)
        SELECT id, customer_id, 'Syncing', 'Ada', 'Lovelace', customer_id || '@example.org', '+44 20 7946 0000', 'bench', now(),
               1, now(), now()
        FROM unnest($1::uuid[], $2::text[]) AS c (id, customer_id)
        """;

    private static readonly TimeSpan _timeout = TimeSpan.FromMinutes(5);

    /// <summary>Syncs customers to the CRM.</summary>
    /// <param name="customers">How many.</param>
    /// <param name="concurrency">How many calls the CRM works on at once; more wait.</param>
    /// <param name="failures">Share of calls that fail, of every kind alike.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<CrmRun> RunAsync(int customers, int concurrency, double failures, CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Simulators:Crm:Faults:Latency:MinMs"] = Text(LatencyMs),
            ["Simulators:Crm:Faults:Latency:MaxMs"] = Text(LatencyMs),
            ["Simulators:Crm:Faults:MaxConcurrent"] = Text(concurrency),
            ["Simulators:Crm:Faults:WhenFull"] = "Queue",
            ["Simulators:Crm:Faults:RetryAfterSeconds"] = "0",
        };
        foreach (var kind in (string[])["FailBefore", "FailAfter", "LostAfter", "Garbage", "HalfResponse", "TooManyRequests"])
            settings["Simulators:Crm:Faults:" + kind] = (failures / 6).ToString(CultureInfo.InvariantCulture);
        await using var system = await DemoSystem.StartAsync(
            new ConsoleReporter(terminal, json: true),
            inMemory: false,
            cancellationToken,
            settings
        );
        using var crm = new HttpClient { BaseAddress = system.Simulators };

        // The first thousand warm up the JIT and the concurrency limit; only the others are measured.
        await QueueAsync(system, "warm", 1_000, cancellationToken);
        await UntilSyncedAsync(system, 1_000, cancellationToken);
        var watch = Stopwatch.StartNew();
        await QueueAsync(system, "measured", customers, cancellationToken);
        await UntilSyncedAsync(system, 1_000 + customers, cancellationToken);
        var took = watch.Elapsed;
        await CheckAsync(crm, 1_000 + customers, cancellationToken);
        var run = new CrmRun(await RateAsync(system, customers, cancellationToken), customers / took.TotalSeconds);
        log(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{customers:N0} customers, {concurrency} at once, {failures:P0} failures: "
                    + $"{run.DeliveredPerSecond:N0}/s, {run.SyncedPerSecond:N0}/s from the first queued to the last synced"
            )
        );
        return run;
    }

    private static async Task QueueAsync(DemoSystem system, string name, int customers, CancellationToken cancellationToken)
    {
        foreach (
            var chunk in Enumerable.Range(1, customers).Select(number => $"{name}-{number}").Chunk(SyncCustomers.MaxCustomers)
        )
        {
            await using var insert = system.Database.Source.CreateCommand(InsertCustomers);
            insert.Parameters.Add(new() { Value = chunk.Select(SagaIdentity.Customer).ToArray() });
            insert.Parameters.Add(new() { Value = chunk });
            await insert.ExecuteNonQueryAsync(cancellationToken);
            await system.Bus.Publish(new SyncCustomers(chunk), cancellationToken);
        }
    }

    private static async Task UntilSyncedAsync(DemoSystem system, int customers, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        do
        {
            await using var count = system.Database.Source.CreateCommand(
                "SELECT count(*) FROM customer_state WHERE current_state = 'Synced'"
            );
            if ((long)(await count.ExecuteScalarAsync(cancellationToken))! >= customers)
                return;
            if (watch.Elapsed > _timeout)
                throw new CommandException(
                    ExitCode.Failed,
                    $"Not all of {customers:N0} customers were synced within {_timeout}."
                );
        } while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    // From the first finished call to the last that counts.
    private static async Task<double> RateAsync(DemoSystem system, int customers, CancellationToken cancellationToken)
    {
        await using var command = system.Database.Source.CreateCommand(
            """
            SELECT extract(epoch FROM finished_at - min(finished_at) OVER ())::float8 FROM outbound_call
            WHERE target = 'crm' AND request ->> 'customerId' LIKE 'measured-%' ORDER BY finished_at OFFSET $1 LIMIT 1
            """
        );
        var counted = (int)(customers * Counted);
        command.Parameters.Add(new() { Value = counted - 1 });
        return (counted - 1) / (double)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    // Fails a run with a wrong result.
    private static async Task CheckAsync(HttpClient crm, int customers, CancellationToken cancellationToken)
    {
        var summary = await crm.GetFromJsonAsync<JsonElement>("crm/summary", cancellationToken);
        var (effects, duplicates) = (
            summary.GetProperty("effects").GetInt64(),
            summary.GetProperty("duplicateEffects").GetInt64()
        );
        if (effects != customers || duplicates > 0)
            throw new CommandException(
                ExitCode.Failed,
                $"The CRM stored {effects:N0} times, {duplicates:N0} of them twice, for {customers:N0} customers."
            );
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The result of one run.</summary>
/// <param name="DeliveredPerSecond">Customers per second delivered to the CRM, while there are enough of them
/// left.</param>
/// <param name="SyncedPerSecond">Customers per second from the first being queued to the last being synced in the
/// database.</param>
internal sealed record CrmRun(double DeliveredPerSecond, double SyncedPerSecond);
