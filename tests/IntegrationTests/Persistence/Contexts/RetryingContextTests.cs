using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>A context with <c>EnableRetryOnFailure</c> works, and its consumers run once.</summary>
public sealed class RetryingContextTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Theory]
    [InlineData(ConcurrencyMode.Optimistic, true)]
    [InlineData(ConcurrencyMode.Pessimistic, true)]
    [InlineData(ConcurrencyMode.Optimistic, false)]
    [InlineData(ConcurrencyMode.Pessimistic, false)]
    public async Task Consumers_and_sagas_save(ConcurrencyMode mode, bool outbox)
    {
        var runs = 0;
        await using var host = await ContextHost<SchemaContext>.StartAsync(
            servers,
            new ContextSetup
            {
                Outbox = outbox,
                Npgsql = npgsql => npgsql.EnableRetryOnFailure(),
                Bus = bus =>
                    bus.AddSagaStateMachine<CounterMachine<Counter>, Counter>()
                        .EntityFrameworkRepository(repository =>
                        {
                            repository.ConcurrencyMode = mode;
                            repository.ExistingDbContext<SchemaContext>();
                        }),
                Work = async (context, provider) =>
                {
                    Interlocked.Increment(ref runs);
                    var db = provider.GetRequiredService<SchemaContext>();
                    db.Add(
                        new Counter
                        {
                            CorrelationId = NewId.NextGuid(),
                            CurrentState = "Active",
                            Count = 7,
                        }
                    );
                    await db.SaveChangesAsync(context.CancellationToken);
                    await context.Publish(new WorkDone("work", 0));
                },
            }
        );

        await host.PublishAsync(new Work("", 0));
        await host.PublishAsync(new Counted(NewId.NextGuid()));

        await host.Arrivals.CountAsync("work", 1);
        await host.Arrivals.CountAsync("counted", 1);
        Assert.Equal(1, runs);
        Assert.Equal(8L, await host.QueryAsync<long>("""SELECT sum("Count") FROM shop."Counter" """));
    }
}
