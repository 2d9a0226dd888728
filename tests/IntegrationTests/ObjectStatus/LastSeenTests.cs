using Microsoft.Extensions.DependencyInjection;
using Sagas.IntegrationTests.Host;
using Sagas.Services.ObjectStatus.Fetch;
using Xunit.Abstractions;

namespace Sagas.IntegrationTests.ObjectStatus;

/// <summary>How the last sighting of an object is written.</summary>
public sealed class LastSeenTests(SharedStatus shared, ITestOutputHelper output) : IClassFixture<SharedStatus>
{
    [Fact]
    public async Task Late_answers_move_no_sighting_back_and_restore_no_expired_object()
    {
        var system = await shared.EmptyAsync();
        var writer = system.Host.Services.GetRequiredService<LastSeenWriter>();
        // At a precision that the database stores.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        async Task<TimeSpan> BackAsync(string id) =>
            now - await system.Host.QueryAsync<DateTime>($"SELECT last_seen FROM object_status WHERE object_id = '{id}'");

        await Task.WhenAll(
            writer.WriteAsync("x", now - TimeSpan.FromSeconds(5)),
            writer.WriteAsync("x", now - TimeSpan.FromSeconds(9))
        );
        Assert.Equal(TimeSpan.FromSeconds(5), await BackAsync("x"));
        await writer.WriteAsync("x", now - TimeSpan.FromSeconds(12));
        Assert.Equal(TimeSpan.FromSeconds(5), await BackAsync("x"));
        await writer.WriteAsync("x", now);
        Assert.Equal(TimeSpan.Zero, await BackAsync("x"));

        await writer.WriteAsync("old", now - TimeSpan.FromMinutes(31));
        await writer.WriteAsync("ahead", now + TimeSpan.FromHours(1));
        Assert.Equal(0L, await system.Host.QueryAsync<long>("SELECT count(*) FROM object_status WHERE object_id = 'old'"));
        Assert.True(
            await system.Host.QueryAsync<bool>(
                "SELECT last_seen <= clock_timestamp() FROM object_status " + "WHERE object_id = 'ahead'"
            )
        );
    }

    [Fact]
    public async Task Two_processes_that_see_the_same_objects_do_not_deadlock()
    {
        var system = await shared.EmptyAsync();
        var one = system.Host.Services.GetRequiredService<LastSeenWriter>();
        await using var other = ActivatorUtilities.CreateInstance<LastSeenWriter>(system.Host.Services);
        var random = new Random(TestSeed.Take(output));
        var ids = Enumerable.Range(1, 300).Select(number => $"o-{number}").ToArray();

        for (var round = 0; round < 8; round++)
        {
            random.Shuffle(ids);
            var first = ids.Select(id => one.WriteAsync(id, DateTimeOffset.UtcNow)).ToArray();
            var second = ids.Reverse().Select(id => other.WriteAsync(id, DateTimeOffset.UtcNow)).ToArray();
            await Task.WhenAll([.. first, .. second]).WaitAsync(Eventually.Timeout);
        }

        Assert.Equal(
            0L,
            await system.Host.QueryAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        );
        Assert.Equal(300L, await system.Host.QueryAsync<long>("SELECT count(*) FROM object_status"));
    }
}
