using System.Globalization;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.Customers;
using Sagas.FileIntake;
using Sagas.FileIntake.Storage;
using Sagas.IntegrationTests.Payments.Races;
using Sagas.Services.Ingest;
using Sagas.Services.Messages;

namespace Sagas.IntegrationTests.Ingest;

/// <summary>A file is read while the sagas work on the same customers and their payments.</summary>
public sealed class LiveSagasTests(ServersFixture servers) : IClassFixture<ServersFixture>, IDisposable
{
    // No test waits this long: a payment that is processed soon was released.
    private static readonly TimeSpan _long = TimeSpan.FromMinutes(2);

    private static readonly DateTimeOffset _start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public async Task A_file_releases_the_payments_that_wait_for_its_customers()
    {
        const int Payments = 20;
        await using var race = await RaceHost.StartAsync(servers, _long);
        await Task.WhenAll(
            Enumerable.Range(1, Payments).Select(n => race.PublishAsync(new PaymentRequested($"p{n}", $"c{n % 7}", 1, "EUR")))
        );
        await race.PublishAsync(new PaymentRequested("other", "c99", 1, "EUR"));
        await race.UntilAsync($"(SELECT count(*) = {Payments + 1} FROM payments_waiting)");

        await IngestAsync(race, "id\n" + string.Concat(Enumerable.Range(0, 7).Select(n => $"c{n}\n")));

        await race.UntilAsync($"(SELECT count(*) = {Payments} FROM payment_state WHERE current_state = 'Processing')");
        Assert.Equal("other", await race.QueryAsync<string>("SELECT payment_id FROM payments_waiting"));
    }

    [Fact]
    public async Task A_payment_that_looks_before_and_commits_after_its_customer_is_ingested_needs_no_redelivery()
    {
        await using var race = await RaceHost.StartAsync(servers, _long);
        var payment = race.Pauses.ArmAt(RacePoint.PaymentHasLooked);
        await race.PublishAsync(new PaymentRequested("p1", "c1", 1, "EUR"));
        await payment.ReachedAsync();

        var ingesting = IngestAsync(race, "id\nc1\n");
        await race.UntilCustomerIsKnownAsync();
        payment.Release();
        await ingesting;

        Assert.Equal(["p1"], await race.ProcessPaymentsAsync(1));
    }

    [Fact]
    public async Task Sagas_and_files_that_change_the_same_customers_lose_no_change()
    {
        const int Customers = 30;
        const int Rounds = 6;
        await using var race = await RaceHost.StartAsync(servers, TimeSpan.FromSeconds(1));
        // Both have data of each customer; the newest is sometimes a message and sometimes a row.
        var published = Enumerable
            .Range(0, Rounds)
            .SelectMany(round => Enumerable.Range(0, Customers).Select(n => Registration(n, 2 * round)));
        var rows = Enumerable
            .Range(0, Rounds)
            .SelectMany(round => Enumerable.Range(0, Customers).Select(n => Registration(n, 2 * round + (n % 2 == 0 ? 1 : -1))));
        var content =
            "id,first_name,registered_at\n"
            + string.Concat(
                rows.Select(row =>
                    string.Create(CultureInfo.InvariantCulture, $"{row.CustomerId},{row.FirstName},{row.RegisteredAt:O}\n")
                )
            );

        var ingesting = IngestAsync(race, content, batch: 10);
        await Parallel.ForEachAsync(
            published,
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (message, _) => await race.PublishAsync(message)
        );
        await ingesting;
        await race.UntilAsync($"(SELECT count(*) = {Rounds * Customers} FROM inbox_state)");

        var expected = Enumerable.Range(0, Customers).Select(n => $"c{n} data {(n % 2 == 0 ? 2 * Rounds - 1 : 2 * Rounds - 2)}");
        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            (await race.QueryAsync<string[]>("SELECT array_agg(customer_id || ' ' || first_name) FROM customer_state")).Order(
                StringComparer.Ordinal
            )
        );
        // Each version has one transition: no writer overwrote a version that it had not read.
        Assert.Equal(
            0,
            await race.QueryAsync<long>(
                """
                SELECT count(*) FROM customer_state c
                WHERE version <> (SELECT count(*) FROM saga_history t WHERE t.correlation_id = c.correlation_id)
                """
            )
        );
        Assert.Equal(Customers, await race.QueryAsync<long>("SELECT count(*) FROM saga_history WHERE from_state IS NULL"));
    }

    private static CustomerRegistered Registration(int customer, int hour) =>
        new($"c{customer}", $"data {hour}", RegisteredAt: _start.AddHours(hour));

    private async Task IngestAsync(RaceHost race, string content, int batch = 1000)
    {
        await File.WriteAllTextAsync(_path, content);
        var store = new FileStore(race.Database);
        var ingest = new CustomerIngest(
            race.Database,
            store,
            Options.Create(new IngestOptions { Partitions = 4, MaxBatchRows = batch }),
            Options.Create(new CustomerSyncOptions()),
            new MessagesOptions(),
            TimeProvider.System
        );
        var processor = new FileProcessor(ingest, store, TimeProvider.System);
        var result = await processor.ProcessAsync(_path, null, CancellationToken.None);
        Assert.Equal(FileState.Completed, result.File.State);
        Assert.Equal(0, result.File.Counts.Rejected);
    }
}
