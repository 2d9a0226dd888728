using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>Sagas are saved however a program maps them and configures its context.</summary>
public sealed class MappingTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Theory]
    [InlineData(ConcurrencyMode.Optimistic, true)]
    [InlineData(ConcurrencyMode.Pessimistic, true)]
    [InlineData(ConcurrencyMode.Optimistic, false)]
    [InlineData(ConcurrencyMode.Pessimistic, false)]
    public async Task A_context_that_tracks_or_detects_nothing_by_default_saves_a_saga(ConcurrencyMode mode, bool tracks)
    {
        await using var host = await ContextHost<QuietContext>.StartAsync(
            servers,
            With<Counter, QuietContext>(mode) with
            {
                Context = options =>
                    options.UseQueryTrackingBehavior(tracks ? QueryTrackingBehavior.TrackAll : QueryTrackingBehavior.NoTracking),
            }
        );
        await CountToThreeAsync(host);

        Assert.Equal(3, await host.WithContextAsync(db => db.Set<Counter>().Select(counter => counter.Count).SingleAsync()));
    }

    [Theory]
    [InlineData(ConcurrencyMode.Optimistic)]
    [InlineData(ConcurrencyMode.Pessimistic)]
    public async Task Complex_and_owned_types_and_JSON_columns_are_loaded_and_saved(ConcurrencyMode mode)
    {
        await using var host = await ContextHost<TallyContext>.StartAsync(servers, With<TallyCounter, TallyContext>(mode));
        await CountToThreeAsync(host);

        var counter = await host.WithContextAsync(db => db.Set<TallyCounter>().SingleAsync());
        Assert.Equal((3, 3, 3), (counter.InColumns.Count, counter.InJson.Count, counter.Owned.Count));
        Assert.Equal(["x", "x", "x"], counter.InJson.Marks);
        Assert.Equal(["x", "x", "x"], counter.Owned.Marks);
    }

    [Theory]
    [InlineData(ConcurrencyMode.Optimistic)]
    [InlineData(ConcurrencyMode.Pessimistic)]
    public async Task Tables_may_be_in_a_schema_of_their_own(ConcurrencyMode mode)
    {
        await using var host = await ContextHost<SchemaContext>.StartAsync(servers, With<Counter, SchemaContext>(mode));
        await CountToThreeAsync(host);

        await Eventually.EqualAsync(0L, () => host.QueryAsync<long>("SELECT count(*) FROM shop.outbox_message"));
        Assert.Equal(3L, await host.QueryAsync<long>("SELECT count(*) FROM shop.inbox_state"));
        Assert.Equal(3L, await host.QueryAsync<long>("SELECT count(*) FROM shop.saga_transition"));
        Assert.Equal(1L, await host.QueryAsync<long>("SELECT count(*) FROM shop.outbox_instance"));
    }

    [Theory]
    [InlineData(ConcurrencyMode.Optimistic)]
    [InlineData(ConcurrencyMode.Pessimistic)]
    public async Task Tables_may_have_names_of_their_own(ConcurrencyMode mode)
    {
        await using var host = await ContextHost<RenamedContext>.StartAsync(servers, With<Counter, RenamedContext>(mode));
        await CountToThreeAsync(host);

        await Eventually.EqualAsync(0L, () => host.QueryAsync<long>("""SELECT count(*) FROM messages."Outbox" """));
        Assert.Equal(3L, await host.QueryAsync<long>("""SELECT count(*) FROM messages."Inbox" """));
        Assert.Equal(1L, await host.QueryAsync<long>("""SELECT count(*) FROM messages."Instance" """));
        Assert.Equal(3, await host.QueryAsync<int>("""SELECT count FROM "Counter" """));
    }

    [Theory]
    [InlineData(ConcurrencyMode.Optimistic)]
    [InlineData(ConcurrencyMode.Pessimistic)]
    public async Task A_context_may_have_several_models(ConcurrencyMode mode)
    {
        var setup = With<Counter, TenantContext>(mode) with { Outbox = false, Context = options => options.UseTenantModels() };
        await using var host = await ContextHost<TenantContext>.CreateAsync(servers, setup);
        foreach (var tenant in TenantContext.Tenants)
        {
            TenantContext.Current = tenant;
            await host.WithContextAsync(db => db.CreateTablesAsync());
        }

        await host.StartAsync();
        foreach (var tenant in TenantContext.Tenants)
        {
            TenantContext.Current = tenant;
            // Without an outbox a message may arrive before the saga that published it is committed.
            var counter = NewId.NextGuid();
            for (var count = 1; count <= 3; count++)
            {
                await host.PublishAsync(new Counted(counter));
                await Eventually.EqualAsync(
                    (long)count,
                    () => host.QueryAsync<long>($"""SELECT coalesce(sum("Count"), 0)::bigint FROM {tenant}."Counter" """)
                );
            }
        }
    }

    [Fact]
    public async Task The_history_needs_no_outbox()
    {
        await using var host = await ContextHost<OnlyHistoryContext>.StartAsync(
            servers,
            With<Counter, OnlyHistoryContext>(ConcurrencyMode.Pessimistic) with
            {
                Outbox = false,
            }
        );
        await host.PublishAsync(new Counted(NewId.NextGuid()));

        await Eventually.EqualAsync(1L, () => host.QueryAsync<long>("SELECT count(*) FROM saga_transition"));
    }

    private static ContextSetup With<TCounter, TContext>(ConcurrencyMode mode)
        where TCounter : class, ICounter, new()
        where TContext : DbContext =>
        new()
        {
            Bus = bus =>
                bus.AddSagaStateMachine<CounterMachine<TCounter>, TCounter>()
                    .EntityFrameworkRepository(repository =>
                    {
                        repository.ConcurrencyMode = mode;
                        repository.ExistingDbContext<TContext>();
                    }),
        };

    private static async Task CountToThreeAsync<TContext>(ContextHost<TContext> host)
        where TContext : DbContext
    {
        var counter = NewId.NextGuid();
        var before = host.Arrivals.All.Count;
        for (var count = 1; count <= 3; count++)
        {
            await host.PublishAsync(new Counted(counter));
            await host.Arrivals.CountAsync(before + count);
        }

        Assert.Empty(host.Arrivals.Faults);
        Assert.Equal([1, 2, 3], host.Arrivals.All.Skip(before).Select(arrival => arrival.Number));
    }
}
