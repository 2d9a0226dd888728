using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>A scheduled message is a row that is due later.</summary>
public sealed class SchedulerTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private static readonly TimeSpan _soon = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _inAnHour = TimeSpan.FromHours(1);

    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_scheduled_message_arrives_when_it_is_due_and_not_before()
    {
        await using var process = await TestProcess.StartAsync(_database);
        var delay = TimeSpan.FromMilliseconds(300);
        var due = DateTime.MaxValue;
        process.Script.Work = async (context, db) =>
        {
            // Due times count from when the message is scheduled, not from the start of a long transaction.
            await db.Database.ExecuteSqlRawAsync("SELECT pg_sleep(0.4)");
            due = DateTime.UtcNow + delay;
            await context.SchedulePublish(due, new WorkDone("scheduled", 1));
        };
        await process.SendAsync(new Work("scheduled", 1));
        await process.Arrivals.CountAsync("scheduled", 1);

        var arrived = process.Arrivals.All[0].At;
        Assert.True(arrived >= due - TimeSpan.FromMilliseconds(20), $"It is due at {due:O} and arrived at {arrived:O}.");
        await _database.OutboxIsEmptyAsync();
    }

    [Fact]
    public async Task A_message_scheduled_in_the_past_is_sent_at_once()
    {
        await using var process = await TestProcess.StartAsync(_database);
        process.Script.Work = (context, _) => context.SchedulePublish(DateTime.UtcNow - _inAnHour, new WorkDone("past", 1));
        await process.SendAsync(new Work("past", 1));
        await process.Arrivals.CountAsync("past", 1);
    }

    [Fact]
    public async Task A_message_can_be_cancelled()
    {
        await using var process = await TestProcess.StartAsync(_database);
        var token = Guid.Empty;
        process.Script.Work = async (context, _) =>
        {
            if (token == Guid.Empty)
                token = (await context.SchedulePublish(_inAnHour, new WorkDone("cancelled", 1))).TokenId;
            else
                await ContextScheduler(context).CancelScheduledSend(new Uri("queue:arrivals"), token);
            await context.SchedulePublish(_soon, new WorkDone("kept", 1));
        };
        await process.SendAsync(new Work("schedule", 1));
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 1);
        await process.SendAsync(new Work("cancel", 1));

        await process.Arrivals.CountAsync("kept", 2);
        await _database.OutboxIsEmptyAsync();
        Assert.Empty(process.Arrivals.NumbersOf("cancelled"));
    }

    [Fact]
    public async Task A_message_can_be_cancelled_by_the_consumer_that_scheduled_it()
    {
        await using var process = await TestProcess.StartAsync(_database);
        process.Script.Work = async (context, _) =>
        {
            var scheduled = await context.SchedulePublish(_inAnHour, new WorkDone("cancelled", 1));
            await context.SchedulePublish(_soon, new WorkDone("kept", 1));
            await context.CancelScheduledSend(scheduled);
        };
        await process.SendAsync(new Work("both", 1));

        await process.Arrivals.CountAsync("kept", 1);
        await _database.OutboxIsEmptyAsync();
        Assert.Empty(process.Arrivals.NumbersOf("cancelled"));
    }

    [Fact]
    public async Task A_consumer_that_fails_has_scheduled_and_cancelled_nothing()
    {
        await using var process = await TestProcess.StartAsync(_database);
        var token = Guid.Empty;
        process.Script.Work = async (context, _) =>
            token = (await context.SchedulePublish(_inAnHour, new WorkDone("first", 1))).TokenId;
        await process.SendAsync(new Work("succeeds", 1));
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 1);
        process.Script.Work = async (context, _) =>
        {
            await context.SchedulePublish(_inAnHour, new WorkDone("second", 1));
            await ScopeScheduler(context).SchedulePublish(DateTime.UtcNow + _inAnHour, new WorkDone("third", 1));
            if (context.Message.Number == 1)
                await ContextScheduler(context).CancelScheduledSend(new Uri("queue:arrivals"), token);
            else
                await ScopeScheduler(context).CancelScheduledSend(new Uri("queue:arrivals"), token);
            throw new InvalidOperationException("after it scheduled and cancelled");
        };
        await process.SendAsync(new Work("fails", 1));
        await process.SendAsync(new Work("fails", 2));
        await process.Arrivals.FaultsAsync(2);

        Assert.Equal([token], await _database.ColumnAsync<Guid>("SELECT schedule_token_id FROM outbox_message"));
    }

    [Fact]
    [Trait("Category", "Smoke")]
    public async Task A_message_pulled_forward_arrives_at_once()
    {
        await using var process = await TestProcess.StartAsync(_database);
        var token = await ScheduleInAnHourAsync(process);

        Assert.Equal(1, await PullForwardAsync(token));
        await process.Arrivals.CountAsync("pulled", 1);
        Assert.Equal(0, await PullForwardAsync(token));
    }

    [Fact]
    public async Task Pulling_forward_wakes_the_relay_of_another_process()
    {
        await using var producer = await TestProcess.StartAsync(_database, new ProcessSetup { Relays = false });
        await using var relay = await TestProcess.StartAsync(
            _database,
            new ProcessSetup { Outbox = outbox => outbox.QueryDelay = _inAnHour }
        );
        var token = await ScheduleInAnHourAsync(producer);
        await Eventually.EqualAsync(
            1,
            () =>
                _database.CountAsync(
                    "pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN outbox_due' AND state = 'idle'"
                )
        );

        await PullForwardAsync(token);

        await relay.Arrivals.CountAsync("pulled", 1);
    }

    [Fact]
    public async Task A_scheduled_message_survives_its_process()
    {
        await using (var first = await TestProcess.StartAsync(_database, new ProcessSetup { Relays = false }))
        {
            first.Script.Work = (context, _) => context.SchedulePublish(_soon, new WorkDone("survivor", 1));
            await first.SendAsync(new Work("survivor", 1));
            await first.Deliveries.SettledAsync(TestProcess.WorkQueue, 1);
        }

        await using var second = await TestProcess.StartAsync(_database);
        await second.Arrivals.CountAsync("survivor", 1);
    }

    [Fact]
    public async Task Outside_consumers_a_scope_schedules_with_its_transaction()
    {
        await using var process = await TestProcess.StartAsync(_database);
        await using var scope = process.Services.CreateAsyncScope();
        var scheduler = scope.ServiceProvider.GetRequiredService<IMessageScheduler>();
        var db = scope.ServiceProvider.GetRequiredService<OrdersDbContext>();
        await using (var transaction = await db.Database.BeginTransactionAsync())
        {
            await scheduler.SchedulePublish(DateTime.UtcNow + _inAnHour, new WorkDone("rolled back", 1));
            await db.SaveChangesAsync();
            await transaction.RollbackAsync();
        }

        Assert.Equal(0, await _database.CountAsync("outbox_message"));
        db.ChangeTracker.Clear();
        var due = DateTime.UtcNow + _soon;
        await scheduler.SchedulePublish(due, new WorkDone("committed", 1));
        var cancelled = await scheduler.SchedulePublish(DateTime.UtcNow + _inAnHour, new WorkDone("cancelled", 1));
        await db.SaveChangesAsync();
        await scheduler.CancelScheduledSend(cancelled);

        await process.Arrivals.CountAsync("committed", 1);
        await _database.OutboxIsEmptyAsync();
        Assert.Equal("committed", Assert.Single(process.Arrivals.All).Name);
        Assert.True(process.Arrivals.All[0].At >= due - TimeSpan.FromMilliseconds(20));
    }

    private static MessageSchedulerContext ContextScheduler(ConsumeContext context) =>
        context.GetPayload<MessageSchedulerContext>();

    private static IMessageScheduler ScopeScheduler(ConsumeContext context) =>
        context.GetPayload<IServiceProvider>().GetRequiredService<IMessageScheduler>();

    private Task<int> PullForwardAsync(Guid token) =>
        _database.ScalarAsync<int>("SELECT cardinality(pull_forward($1))", new[] { token });

    private async Task<Guid> ScheduleInAnHourAsync(TestProcess process)
    {
        process.Script.Work = (context, _) => context.SchedulePublish(_inAnHour, new WorkDone("pulled", 1));
        await process.SendAsync(new Work("schedule", 1));
        await process.Deliveries.SettledAsync(TestProcess.WorkQueue, 1);
        return await _database.ScalarAsync<Guid>("SELECT schedule_token_id FROM outbox_message");
    }
}
