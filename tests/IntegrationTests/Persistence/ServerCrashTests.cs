using MassTransit;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>Postgres and the broker are killed while messages flow: nothing is lost, and nothing happens twice.</summary>
[Collection(nameof(KillableServers))]
public sealed class ServerCrashTests(KillableServers servers)
{
    private const int Messages = 80;

    [PrivateServersFact]
    public async Task Postgres_killed_under_load()
    {
        await using var database = await PersistenceDatabase.CreateAsync(servers);
        await using var process = await TestProcess.StartAsync(
            database,
            new ProcessSetup
            {
                Endpoint = endpoint => endpoint.UseMessageRetry(retry => retry.Interval(10_000, TimeSpan.FromMilliseconds(50))),
            }
        );
        await SendAllAsync(process, 0, Messages);
        await process.Deliveries.AtLeastSettledAsync(TestProcess.WorkQueue, Messages / 4);
        await servers.Postgres.KillAsync();
        await SendAllAsync(process, Messages, Messages);
        await servers.Postgres.StartAgainAsync();
        database.Reconnect();

        await AssertAllOnceAsync(process, database);
    }

    [PrivateServersFact]
    public async Task RabbitMQ_killed_under_load()
    {
        await using var virtualHost = await servers.CreateVirtualHostAsync();
        await using var database = await PersistenceDatabase.CreateAsync(servers);
        await using var process = await TestProcess.StartAsync(database, new ProcessSetup { RabbitMq = virtualHost.Uri });
        await SendAllAsync(process, 0, Messages);
        await process.Deliveries.AtLeastSettledAsync(TestProcess.WorkQueue, Messages / 4);
        await servers.RabbitMq.KillAsync();

        // Messages published while the broker is unavailable wait for it.
        await process.PublishStoredAsync("meanwhile", 20);
        await servers.RabbitMq.StartAgainAsync();

        await Eventually.EqualAsync(20, () => process.Arrivals.DistinctNumbersOf("meanwhile").Count);
        Assert.Equal(Enumerable.Range(0, 20), process.Arrivals.DistinctNumbersOf("meanwhile"));
        await SendAllAsync(process, Messages, Messages);
        await AssertAllOnceAsync(process, database);
    }

    /// <summary>Sends to the consumer, and to as many sagas.</summary>
    private static Task SendAllAsync(TestProcess process, int from, int count) =>
        Task.WhenAll(
            Enumerable
                .Range(from, count)
                .Select(async number =>
                {
                    await process.SendAsync(new Work("work", number));
                    await process.SendOrderAsync(new OrderPlaced(NewId.NextGuid()));
                })
        );

    private static async Task AssertAllOnceAsync(TestProcess process, PersistenceDatabase database)
    {
        await Eventually.EqualAsync(2 * Messages, () => process.Arrivals.DistinctNumbersOf("work").Count);
        await Eventually.EqualAsync(2 * Messages, () => process.Arrivals.DistinctNumbersOf("counted").Count);
        await database.OutboxIsEmptyAsync();
        Assert.Equal(Enumerable.Range(0, 2 * Messages), process.Arrivals.DistinctNumbersOf("work").Order());
        Assert.Equal(
            Enumerable.Range(0, 2 * Messages),
            await database.ColumnAsync<int>("SELECT number FROM effect ORDER BY number")
        );
        Assert.Equal(2 * Messages, await database.CountAsync("order_state WHERE count = 1"));
        Assert.Equal(2 * Messages, await database.CountAsync("order_line"));
        Assert.Equal(2 * Messages, await database.CountAsync("saga_transition"));
        Assert.Equal(4 * Messages, await database.CountAsync("inbox_state"));
        Assert.Empty(process.Arrivals.Faults);

        // The process works as before.
        await process.SendAsync(new Work("after", 0));
        await Eventually.EqualAsync(1, () => process.Arrivals.DistinctNumbersOf("after").Count);
        await database.OutboxIsEmptyAsync();
    }
}
