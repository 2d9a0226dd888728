using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Sagas.Database;
using Sagas.OutboundCalls;
using Xunit.Abstractions;

namespace Sagas.IntegrationTests.OutboundCalls;

/// <summary>The limit that all processes share through the database.</summary>
public sealed class DistributedRateLimiterTests(ServersFixture servers, ITestOutputHelper output) : IClassFixture<ServersFixture>
{
    private const string Target = "some";

    // Far longer than a test takes, so that nothing ends because the machine is slow.
    private static readonly TimeSpan _lease = TimeSpan.FromHours(1);

    private readonly FakeTimeProvider _timeProvider = new();

    [Theory]
    [InlineData(500, 4)]
    [InlineData(2000, 2)]
    [InlineData(40, 3)]
    public async Task Processes_together_start_as_many_calls_a_second_as_configured_to_within_one_percent(
        double perSecond,
        int processes
    )
    {
        await using var senders = await SimulatedSenders.CreateAsync(
            servers,
            new CallRateLimit { PerSecond = perSecond },
            processes,
            callsAtOnce: 1_000
        );
        senders.Allowed = senders.Burst = 1_000_000;

        await senders.RunAsync(1);
        await senders.RunAsync(5);

        var (rate, _) = senders.Last(5);
        var most = senders.MostWithinASecond(5);
        output.WriteLine($"{rate:0.0}/s of {perSecond}/s, at most {most} within a second");
        Assert.InRange(rate, perSecond * 0.98, perSecond * 1.01);
        Assert.InRange(most, 1, (perSecond * 1.15) + 2);
    }

    [Fact]
    public async Task A_pause_requested_from_one_process_holds_for_the_others_and_ends_by_itself()
    {
        await using var table = await CallTable.CreateAsync(servers);
        await EnterAsync(table, 100);
        await using var provider = Services(table);
        var othersPause = new TargetPause(_timeProvider);
        var (first, other) = (Limiter(provider, new CallRateLimit()), Limiter(provider, new CallRateLimit(), othersPause));
        Assert.Equal(10, await first.TakeAsync(10, 0, default));

        await first.PauseAsync(Call(0), TimeSpan.FromHours(1), isRate: true, "429", default);

        Assert.Equal(0, await other.TakeAsync(10, 0, default));
        Assert.InRange(othersPause.Remaining, TimeSpan.FromMinutes(50), TimeSpan.FromHours(1));
        await table.ExecuteAsync(
            """
            UPDATE rate_limit
            SET paused_until = now() + interval '0.1 s', next_permit_at = now() + interval '0.1 s', version = version + 1
            """
        );
        await Eventually.TrueAsync(
            "the end of the pause",
            async () =>
            {
                _timeProvider.Advance(TimeSpan.FromSeconds(1));
                return await other.TakeAsync(10, 0, default) > 0;
            }
        );
        Assert.Equal(1, await table.CountAsync("SELECT count(*) FROM rate_limit WHERE paused_until <= clock_timestamp()"));
    }

    [Fact]
    public async Task A_disabled_target_gets_nothing_until_it_is_enabled()
    {
        await using var table = await CallTable.CreateAsync(servers);
        await EnterAsync(table, 100);
        await using var provider = Services(table);
        await Limiter(provider, new CallRateLimit()).DisableAsync("410", default);

        Assert.Equal(0, await Limiter(provider, new CallRateLimit()).TakeAsync(10, 0, default));
        Assert.Equal(0, await Limiter(provider, new CallRateLimit { PerSecond = 100 }).TakeAsync(10, 0, default));
        await using (var source = NpgsqlDataSource.Create(table.ConnectionString))
            Assert.True(await CallTargets.EnableAsync(source, Target, default));
        Assert.Equal(10, await Limiter(provider, new CallRateLimit()).TakeAsync(10, 0, default));
    }

    [Fact]
    public async Task Processes_share_the_concurrency_and_a_later_one_gets_its_share_once_others_return_it()
    {
        await using var table = await CallTable.CreateAsync(servers);
        await EnterAsync(table, 100);
        await using var provider = Services(table);
        var limit = new CallRateLimit { MaxConcurrency = 5 };
        var (first, second) = (Limiter(provider, limit), Limiter(provider, limit));

        await first.TakeAsync(10, 0, default);
        Assert.Equal(5, first.Share);
        // All five are in flight, so none can be given away yet.
        await second.TakeAsync(10, 0, default);
        Assert.Equal(0, second.Share);
        await AskAsync(first, 0, running: 4);
        Assert.Equal(4, first.Share);
        await AskAsync(second, 10, running: 0);
        Assert.Equal(1, second.Share);
        await AskAsync(first, 0, running: 1);
        Assert.InRange(first.Share, 2, 3);
        await AskAsync(second, 10, running: 1);
        Assert.Equal(5, first.Share + second.Share);

        await first.ReturnAsync(default);
        await AskAsync(second, 10, running: 1);
        Assert.Equal(5, second.Share);

        async Task AskAsync(DistributedRateLimiter limiter, int room, int running)
        {
            // The longest that a process waits before it asks again.
            _timeProvider.Advance(_lease / 4);
            await limiter.TakeAsync(room, running, default);
        }
    }

    [Fact]
    public async Task No_permits_are_taken_while_nothing_is_due()
    {
        await using var table = await CallTable.CreateAsync(servers);
        await using var provider = Services(table);
        var limiter = Limiter(provider, new CallRateLimit { PerSecond = 0.1 });

        Assert.Equal(0, await limiter.TakeAsync(10, 0, default));
        Assert.False(limiter.AnythingDue);
        await EnterAsync(table, 10);

        // If one had been reserved, the next would be due in ten seconds.
        Assert.Equal(1, await limiter.TakeAsync(10, 0, default));
    }

    private static async Task EnterAsync(CallTable table, int rows)
    {
        await table.ExecuteAsync(
            $$"""
            INSERT INTO outbound_call (target, idempotency_key, state, mode, request, due)
            SELECT '{{Target}}', n::text, 'waiting', 'IdempotencyKey', '{}', now() FROM generate_series(1, {{rows}}) n
            """
        );
        await table.ExecuteAsync("ANALYZE outbound_call");
    }

    private static ServiceProvider Services(CallTable table) =>
        new ServiceCollection()
            .AddDbContextPool<SagasDbContext>(options => options.UseNpgsql(table.ConnectionString))
            .AddScoped<DbContext>(provider => provider.GetRequiredService<SagasDbContext>())
            .BuildServiceProvider();

    private DistributedRateLimiter Limiter(ServiceProvider provider, CallRateLimit limit, TargetPause? pause = null) =>
        new(
            Target,
            limit,
            _lease,
            provider.GetRequiredService<IServiceScopeFactory>(),
            pause ?? new TargetPause(_timeProvider),
            _timeProvider
        );

    private static OutboundCall Call(long epoch) =>
        new("key", CallMode.IdempotencyKey, "{}", 1, false, TimeSpan.Zero, null, null) { Epoch = epoch };
}
