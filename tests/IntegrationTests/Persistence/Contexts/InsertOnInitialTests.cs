using MassTransit;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>Of several first messages of a saga one inserts it, and the others find it, without retries.</summary>
public sealed class InsertOnInitialTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private const int Messages = 16;

    [Theory]
    [InlineData(ConcurrencyMode.Pessimistic, true)]
    [InlineData(ConcurrencyMode.Pessimistic, false)]
    public async Task Simultaneous_first_messages_all_count(ConcurrencyMode mode, bool outbox)
    {
        await using var host = await ContextHost<SchemaContext>.StartAsync(
            servers,
            new ContextSetup
            {
                Outbox = outbox,
                Bus = bus =>
                    bus.AddSagaStateMachine<InsertingCounterMachine, Counter>()
                        .EntityFrameworkRepository(repository =>
                        {
                            repository.ConcurrencyMode = mode;
                            repository.ExistingDbContext<SchemaContext>();
                        }),
            }
        );

        for (var round = 0; round < 5; round++)
        {
            var counter = NewId.NextGuid();
            await Task.WhenAll(Enumerable.Range(0, Messages).Select(_ => host.PublishAsync(new Counted(counter))));
            await host.Arrivals.CountAsync((round + 1) * Messages);
            // Without an outbox a message may arrive before its saga is committed.
            await Eventually.EqualAsync(
                Messages,
                () => host.QueryAsync<int>($"""SELECT "Count" FROM shop."Counter" WHERE "CorrelationId" = '{counter}'""")
            );
        }

        Assert.Empty(host.Arrivals.Faults);
        var transitions = await host.QueryAsync<long>("SELECT count(*) FROM shop.saga_transition WHERE from_state IS NULL");
        Assert.Equal(5, transitions);
    }
}
