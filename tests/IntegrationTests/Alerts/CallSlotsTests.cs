using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Sagas.IntegrationTests.Ledger;
using Sagas.Services.Ledger;
using Xunit.Abstractions;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>The limit that all processes share, as each of them meets it in the database.</summary>
public sealed class CallSlotsTests(ServersFixture servers, ITestOutputHelper output) : IClassFixture<ServersFixture>
{
    private const string Target = "some";

    // Far longer than a test takes: nothing ends because the machine does something else meanwhile.
    private static readonly TimeSpan _lease = TimeSpan.FromHours(1);

    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(500, 4)]
    [InlineData(2000, 2)]
    [InlineData(40, 3)]
    public async Task Processes_together_start_as_many_calls_a_second_as_configured_to_within_one_percent(double perSecond, int processes)
    {
        await using var senders = await SimulatedSenders.CreateAsync(servers, new CallLimit { PerSecond = perSecond }, processes, callsAtOnce: 1_000);
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
    public async Task A_pause_that_one_process_was_asked_for_holds_for_the_others_and_ends_by_itself()
    {
        await using var table = await LedgerTable.CreateAsync(servers);
        await EnterAsync(table, 100);
        await using var provider = Services(table);
        var (told, other) = (Slots(provider, new CallLimit()), Slots(provider, new CallLimit()));
        Assert.Equal(10, await told.TakeAsync(10, 0, default));

        await told.RefusedAsync(Call(0), TimeSpan.FromHours(1), rate: true, "429", default);

        Assert.Equal(0, await other.TakeAsync(10, 0, default));
        Assert.InRange(other.Paused, TimeSpan.FromMinutes(50), TimeSpan.FromHours(1));
        await table.ExecuteAsync(
            "UPDATE ledger_limit SET paused_until = now() + interval '0.1 s', next_slot = now() + interval '0.1 s'");
        await Eventually.TrueAsync("the end of the pause", async () =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return await other.TakeAsync(10, 0, default) > 0;
        });
        Assert.Equal(1, await table.CountAsync("SELECT count(*) FROM ledger_limit WHERE paused_until <= clock_timestamp()"));
    }

    [Fact]
    public async Task A_disabled_target_gets_nothing_until_it_is_enabled()
    {
        await using var table = await LedgerTable.CreateAsync(servers);
        await EnterAsync(table, 100);
        await using var provider = Services(table);
        await Slots(provider, new CallLimit()).DisableAsync("410", default);

        Assert.Equal(0, await Slots(provider, new CallLimit()).TakeAsync(10, 0, default));
        Assert.Equal(0, await Slots(provider, new CallLimit { PerSecond = 100 }).TakeAsync(10, 0, default));
        await using (var source = NpgsqlDataSource.Create(table.ConnectionString))
            Assert.Equal(1, await SlotRows.EnableAsync(source, Target, default));
        Assert.Equal(10, await Slots(provider, new CallLimit()).TakeAsync(10, 0, default));
    }

    [Fact]
    public async Task Processes_share_the_calls_at_once_and_one_that_comes_later_gets_its_part_when_the_others_have_given_it_back()
    {
        await using var table = await LedgerTable.CreateAsync(servers);
        await EnterAsync(table, 100);
        await using var provider = Services(table);
        var limit = new CallLimit { AtOnce = 5 };
        var (first, second) = (Slots(provider, limit), Slots(provider, limit));

        await first.TakeAsync(10, 0, default);
        Assert.Equal(5, first.Places);
        // All five are in flight: there is nothing to give yet.
        await second.TakeAsync(10, 0, default);
        Assert.Equal(0, second.Places);
        await AskAsync(first, 0, running: 4);
        Assert.Equal(4, first.Places);
        await AskAsync(second, 10, running: 0);
        Assert.Equal(1, second.Places);
        await AskAsync(first, 0, running: 1);
        Assert.InRange(first.Places, 2, 3);
        await AskAsync(second, 10, running: 1);
        Assert.Equal(5, first.Places + second.Places);

        await first.LeaveAsync(default);
        await AskAsync(second, 10, running: 1);
        Assert.Equal(5, second.Places);

        async Task AskAsync(CallSlots slots, int room, int running)
        {
            // As long as a process waits at most before it asks again.
            _time.Advance(_lease / 4);
            await slots.TakeAsync(room, running, default);
        }
    }

    [Fact]
    public async Task No_slots_are_reserved_while_nothing_is_due()
    {
        await using var table = await LedgerTable.CreateAsync(servers);
        await using var provider = Services(table);
        var slots = Slots(provider, new CallLimit { PerSecond = 0.1 });

        Assert.Equal(0, await slots.TakeAsync(10, 0, default));
        Assert.False(slots.AnythingDue);
        await EnterAsync(table, 10);

        // Had one been reserved, this would be ten seconds away.
        Assert.Equal(1, await slots.TakeAsync(10, 0, default));
    }

    private static async Task EnterAsync(LedgerTable table, int rows)
    {
        await table.ExecuteAsync(
            $$"""
            INSERT INTO ledger (target, idempotency_key, state, mode, request, due)
            SELECT '{{Target}}', n::text, 'waiting', 'IdempotencyKey', '{}', now() FROM generate_series(1, {{rows}}) n
            """);
        await table.ExecuteAsync("ANALYZE ledger");
    }

    private static ServiceProvider Services(LedgerTable table) =>
        new ServiceCollection().AddDbContextPool<SagasDbContext>(options => options.UseNpgsql(table.ConnectionString)).BuildServiceProvider();

    private CallSlots Slots(ServiceProvider provider, CallLimit limit) =>
        new(Target, limit, _lease, provider.GetRequiredService<IServiceScopeFactory>(), _time);

    private static LedgerCall Call(long epoch) =>
        new("key", LedgerMode.IdempotencyKey, "{}", 1, false, TimeSpan.Zero, null, null) { Epoch = epoch };
}
