using System.Collections.Concurrent;
using System.Globalization;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.Customers;
using Sagas.Database;
using Sagas.Services.Ingest;
using Xunit.Abstractions;
using RedeliveryOptions = Sagas.Payments.RedeliveryOptions;

namespace Sagas.IntegrationTests.Ingest;

/// <summary>A file leaves the same rows in the tables as messages with the same data, published one by one.</summary>
public sealed class ConformanceTests(ServersFixture servers, ITestOutputHelper output) : IClassFixture<ServersFixture>
{
    private const int Rows = 80;
    private const int Customers = 20;

    private static readonly DateTimeOffset _start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // The customers that exist before, in every state.
    private const string Before = """
        INSERT INTO customer_state (correlation_id, customer_id, current_state, first_name, email, registered_at, version,
                                    created_at, updated_at, synced_version, sync_failure)
        SELECT id, customer, state, 'Ada', 'ada@example.org', '2026-01-03', 2, '2026-01-03', '2026-01-03',
               CASE WHEN state = 'Registered' THEN NULL ELSE 1 END, CASE WHEN state = 'SyncFailed' THEN 'rejected' END
        FROM (VALUES {0}) AS v (id, customer, state)
        """;

    [Theory]
    [InlineData(1, true, 4, 7)]
    [InlineData(2, true, 1, 1000)]
    [InlineData(3, false, 8, 3)]
    public async Task A_file_has_the_same_effects_as_publishing_its_rows(int seed, bool crm, int partitions, int batch)
    {
        var random = new Random(TestSeed.Take(output, otherwise: seed));
        var (first, second) = (RandomRows(random), RandomRows(random));
        var options = new IngestOptions { Partitions = partitions, MaxBatchRows = batch };
        await using var ingested = await IngestDatabase.CreateAsync(servers);
        await using var published = await IngestDatabase.CreateAsync(servers);
        await MakeKnownAsync(ingested);
        await MakeKnownAsync(published);

        // A file with only new customers takes another code path than one with known customers.
        var fresh = RandomRows(random).Select((row, number) => row with { CustomerId = $"n{number}" }).ToArray();
        var messages = new List<CustomerRegistered>();
        // The second file is submitted again: under another name it is the same file, with one more line a different one.
        foreach (
            var (name, rows, more) in new[]
            {
                ("new.csv", fresh, ""),
                ("a.csv", first, ""),
                ("b.csv", second, ""),
                ("b-again.csv", second, ""),
                ("c.csv", second, "\n"),
            }
        )
        {
            var result = await ingested.IngestAsync(name, Csv(rows) + more, options, crm);
            if (result.WasCompleted)
                continue;
            Assert.Equal(Rows, result.File.Counts.Rows);
            var time = await ingested.QueryAsync<DateTime>($"SELECT accepted_at FROM file WHERE name = '{name}'");
            messages.AddRange(
                rows.Select(row => row with { RegisteredAt = row.RegisteredAt ?? time, Source = row.Source ?? name })
            );
        }
        var requests = await PublishAsync(published, messages, crm);

        Assert.Equal(4 * Rows, messages.Count);
        Assert.All(
            (await published.CustomersAsync()).Zip(await ingested.CustomersAsync()),
            pair => Assert.Equal(pair.First, pair.Second)
        );
        Assert.Equal(requests.Order(StringComparer.Ordinal), (await ingested.QueuedAsync()).Order(StringComparer.Ordinal));
        Assert.Equal(crm, requests.Length > 0);
    }

    private static async Task MakeKnownAsync(IngestDatabase database)
    {
        string[] states = ["Registered", "Syncing", "Synced", "SyncFailed"];
        var rows = Enumerable
            .Range(0, 12)
            .Select(n => $"('{SagaIdentity.Customer($"c{n}")}'::uuid, 'c{n}', '{states[n % states.Length]}')");
        await database.ExecuteAsync(string.Format(CultureInfo.InvariantCulture, Before, string.Join(',', rows)));
    }

    private static CustomerRegistered[] RandomRows(Random random) =>
        [
            .. Enumerable
                .Range(0, Rows)
                .Select(_ => new CustomerRegistered(
                    $"c{random.Next(Customers)}",
                    Pick(random, "Ada", "Grace", null),
                    Pick(random, "Lovelace", "Hopper, \"Amazing\"", null),
                    Pick(random, "ada@example.org", null),
                    Pick(random, "1", "2"),
                    random.Next(3) == 0 ? null : _start.AddDays(random.Next(6)),
                    Pick(random, "shop", null)
                )),
        ];

    private static T Pick<T>(Random random, params T[] values) => values[random.Next(values.Length)];

    private static string Csv(IEnumerable<CustomerRegistered> rows) =>
        "id,first_name,last_name,email,phone,registered_at,source\n"
        + string.Concat(
            rows.Select(row =>
                string.Join(
                    ',',
                    new[]
                    {
                        row.CustomerId,
                        row.FirstName,
                        row.LastName,
                        row.Email,
                        row.Phone,
                        row.RegisteredAt?.ToString("O", CultureInfo.InvariantCulture),
                        row.Source,
                    }.Select(field => $"\"{field?.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")
                ) + "\n"
            )
        );

    /// <returns>The customers of the SyncCustomer messages.</returns>
    private static async Task<string[]> PublishAsync(
        IngestDatabase database,
        IReadOnlyList<CustomerRegistered> messages,
        bool crm
    )
    {
        var requests = new SyncRequests();
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddDbContextPool<SagasDbContext>(options => options.UseNpgsql(database.Source));
        builder.Services.AddSingleton(Options.Create(new RedeliveryOptions()));
        builder.Services.AddSingleton(Options.Create(new CustomerSyncOptions { Enabled = crm }));
        builder.Services.AddSingleton(requests);
        builder.Services.Configure<MassTransitHostOptions>(host => host.WaitUntilStarted = true);
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddEntityFrameworkOutbox<SagasDbContext>(outbox => outbox.UsePostgres());
            bus.AddSagas();
            bus.AddConsumer<SyncRequestConsumer>();
            bus.AddConfigureEndpointsCallback(
                (context, _, endpoint) =>
                {
                    endpoint.ConcurrentMessageLimit = 1;
                    endpoint.UseEntityFrameworkOutbox<SagasDbContext>(context);
                }
            );
            bus.UsingInMemory((context, configurator) => configurator.ConfigureEndpoints(context));
        });
        using var host = builder.Build();
        await host.StartAsync();
        foreach (var message in messages)
            await host.Services.GetRequiredService<IBus>().Publish(message);
        await Eventually.TrueAsync(
            "all messages are consumed",
            () =>
                database.QueryAsync<bool>(
                    $"""
                    SELECT (SELECT count(*) FROM inbox_state) = {messages.Count} + {requests.Customers.Count}
                       AND NOT EXISTS (SELECT FROM outbox_message)
                    """
                )
        );
        await host.StopAsync();
        return [.. requests.Customers];
    }

    private sealed class SyncRequests
    {
        public ConcurrentQueue<string> Customers { get; } = [];
    }

    private sealed class SyncRequestConsumer(SyncRequests requests) : IConsumer<SyncCustomer>
    {
        public Task Consume(ConsumeContext<SyncCustomer> context)
        {
            requests.Customers.Enqueue(context.Message.CustomerId);
            return Task.CompletedTask;
        }
    }
}
