using MassTransit;
using MassTransit.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>MassTransit's test harness with the outbox: its container is disposed of while services still run.</summary>
public sealed class HarnessTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task A_container_that_is_disposed_of_ends_the_outbox_without_a_warning()
    {
        await using var database = await servers.CreateDatabaseAsync("harness");
        var log = new FakeLogCollector();
        await using (var provider = Build(database.ConnectionString, log))
        {
            var harness = provider.GetRequiredService<ITestHarness>();
            harness.TestTimeout = Eventually.Timeout;
            harness.TestInactivityTimeout = Eventually.Timeout;
            await harness.Start();
            await using (var scope = provider.CreateAsyncScope())
            {
                await scope.ServiceProvider.GetRequiredService<IPublishEndpoint>().Publish(new Work("", 0));
                await scope.ServiceProvider.GetRequiredService<CounterlessContext>().SaveChangesAsync();
            }

            Assert.True(await harness.Consumed.Any<Work>());
        }

        Assert.DoesNotContain(log.GetSnapshot(), record => record.Level >= LogLevel.Warning);
        Assert.DoesNotContain(log.GetSnapshot(), record => record.Message.Contains("disposed", StringComparison.Ordinal));
    }

    private static ServiceProvider Build(string connectionString, FakeLogCollector log) =>
        new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(new FakeLoggerProvider(log)))
            .AddDbContext<CounterlessContext>(options => options.UseNpgsql(connectionString))
            .AddMassTransitTestHarness(bus =>
            {
                bus.AddEntityFrameworkOutbox<CounterlessContext>(outbox => outbox.UseBusOutbox());
                bus.AddConsumer<AnsweringConsumer>();
                bus.AddConfigureEndpointsCallback(
                    (context, _, endpoint) => endpoint.UseEntityFrameworkOutbox<CounterlessContext>(context)
                );
            })
            .BuildServiceProvider();

    private sealed class CounterlessContext(DbContextOptions<CounterlessContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddTransactionalOutboxEntities();
    }

    private sealed class AnsweringConsumer : IConsumer<Work>
    {
        public Task Consume(ConsumeContext<Work> context) => context.Publish(new WorkDone("", 0));
    }
}
