using MassTransit;
using MassTransit.Serialization;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>A message redelivered later is consumed once, whether its consumer failed or asked for it and completed.</summary>
public sealed class RedeliveryTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private static readonly TimeSpan _soon = TimeSpan.FromMilliseconds(50);

    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Theory]
    [InlineData(50)]
    [InlineData(0)]
    public async Task A_consumer_that_asks_for_a_redelivery_and_completes_gets_it_once(int milliseconds)
    {
        await using var process = await TestProcess.StartAsync(_database);
        process.Script.Work = RedeliverAsync(3, TimeSpan.FromMilliseconds(milliseconds));
        var messageId = NewId.NextGuid();
        await process.SendAsync(new Work("redelivered", 1), messageId);
        await process.Arrivals.CountAsync("redelivered", 4);

        // Delivering the first message again changes nothing.
        await process.SendAsync(new Work("redelivered", 1), messageId);
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 5);

        await AssertEffectsAsync(process, 0, 1, 2, 3);
    }

    [Fact]
    public async Task A_redelivery_that_is_delivered_twice_is_consumed_once()
    {
        var twice = new TaskCompletionSource<SendContext>();
        TestProcess? process = null;
        await using var started = process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup
            {
                // The relay sends it, but the send fails afterwards.
                Sending = context =>
                    context.DestinationAddress!.AbsolutePath.EndsWith(TestProcess.WorkQueue, StringComparison.Ordinal)
                    && twice.TrySetResult(context)
                        ? SendAndFailAsync(context)
                        : Task.CompletedTask,
            }
        );
        process.Script.Work = RedeliverAsync(1, _soon);
        await process.SendAsync(new Work("redelivered", 1));
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 3);

        await AssertEffectsAsync(process, 0, 1);

        async Task SendAndFailAsync(SendContext context)
        {
            var body = await _database.ScalarAsync<string>(
                "SELECT body FROM outbox_message WHERE message_id = $1",
                context.MessageId!.Value
            );
            await SendBodyAsync(process!, body);
            throw new InvalidOperationException("The answer was lost.");
        }
    }

    [Fact]
    public async Task A_failing_consumer_gets_the_message_again_until_it_succeeds_and_then_no_more()
    {
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup
            {
                Endpoint = endpoint => endpoint.UseScheduledRedelivery(redelivery => redelivery.Intervals(50, 50, 50, 50, 50)),
            }
        );
        var failures = 0;
        process.Script.Work = async (context, db) =>
        {
            await Script.EffectAndMessageAsync(context, db);
            if (Interlocked.Increment(ref failures) <= 3)
                throw new InvalidOperationException("Not yet.");
        };
        var messageId = NewId.NextGuid();
        await process.SendAsync(new Work("redelivered", 0), messageId);
        await process.Arrivals.CountAsync("redelivered", 1);
        Assert.Equal(4, failures);

        await process.SendAsync(new Work("redelivered", 0), messageId);
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 5);

        Assert.Equal(4, failures);
        await AssertEffectsAsync(process, 0);
    }

    [Fact]
    public async Task A_failing_saga_gets_the_event_again_until_it_succeeds()
    {
        await using var process = await TestProcess.StartAsync(
            _database,
            new ProcessSetup
            {
                Endpoint = endpoint => endpoint.UseScheduledRedelivery(redelivery => redelivery.Intervals(50, 50, 50, 50, 50)),
            }
        );
        var failures = 0;
        process.Script.Order = _ =>
            Interlocked.Increment(ref failures) <= 2 ? throw new InvalidOperationException("Not yet.") : Task.CompletedTask;
        var messageId = NewId.NextGuid();
        await process.SendOrderAsync(new OrderPlaced(NewId.NextGuid()), messageId);
        await process.Arrivals.CountAsync("counted", 1);
        await process.SendOrderAsync(new OrderPlaced(NewId.NextGuid()), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 4);

        Assert.Equal(1, await _database.CountAsync("order_state"));
        await _database.OutboxIsEmptyAsync();
    }

    [Fact]
    public async Task A_saga_that_asks_for_a_redelivery_and_completes_gets_it_once()
    {
        await using var process = await TestProcess.StartAsync(_database);
        var redeliveries = 0;
        process.Script.Order = context =>
            Interlocked.Increment(ref redeliveries) <= 2
                ? ((ConsumeContext<OrderPlaced>)context).Redeliver(_soon)
                : Task.CompletedTask;
        var order = NewId.NextGuid();
        var messageId = NewId.NextGuid();
        await process.SendOrderAsync(new OrderPlaced(order), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 3);
        await process.SendOrderAsync(new OrderPlaced(order), messageId);
        await process.Deliveries.SettledAsync(TestProcess.OrderQueue, 4);

        Assert.Equal(3, await _database.ScalarAsync<int>("SELECT count FROM order_state"));
        await _database.OutboxIsEmptyAsync();
        await process.PublishStoredAsync("last");
        await process.Arrivals.CountAsync("last", 1);
        // From different transactions: they have no common order.
        Assert.Equal([1, 2, 3], process.Arrivals.NumbersOf("counted").Order());
    }

    private static Func<ConsumeContext<Work>, OrdersDbContext, Task> RedeliverAsync(int times, TimeSpan delay) =>
        async (context, db) =>
        {
            var redelivery = context.GetRedeliveryCount();
            db.Add(new Effect { Name = context.Message.Name, Number = redelivery });
            await context.Publish(new WorkDone(context.Message.Name, redelivery));
            if (redelivery < times)
                await context.Redeliver(delay);
        };

    private static async Task SendBodyAsync(TestProcess process, string body)
    {
        var endpoint = await ((IBus)process.Services.GetService(typeof(IBus))!).GetSendEndpoint(
            new Uri($"queue:{TestProcess.WorkQueue}")
        );
        await endpoint.Send(
            new Work("", 0),
            context =>
            {
                var envelope = System.Text.Json.JsonDocument.Parse(body).RootElement;
                context.MessageId = envelope.GetProperty("messageId").GetGuid();
                context.Serializer = new CopyBodySerializer(
                    SystemTextJsonMessageSerializer.JsonContentType,
                    new StringMessageBody(body)
                );
            }
        );
    }

    private async Task AssertEffectsAsync(TestProcess process, params int[] numbers)
    {
        await _database.OutboxIsEmptyAsync();
        await process.PublishStoredAsync("last");
        await process.Arrivals.CountAsync("last", 1);
        Assert.Equal(numbers, await _database.ColumnAsync<int>("SELECT number FROM effect ORDER BY number"));
        Assert.Equal(numbers, process.Arrivals.NumbersOf("redelivered").Order());
        Assert.Empty(process.Arrivals.Faults);
    }
}
