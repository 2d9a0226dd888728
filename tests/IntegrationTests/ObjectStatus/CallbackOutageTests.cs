using System.Diagnostics;
using System.Net;

namespace Sagas.IntegrationTests.ObjectStatus;

/// <summary>The callback while the servers are killed.</summary>
[Collection(nameof(KillableServers))]
public sealed class CallbackOutageTests(KillableServers servers)
{
    [PrivateServersFact]
    public async Task Ids_are_taken_while_broker_or_database_is_away_refused_while_both_are_and_all_taken_are_fetched()
    {
        var brokerTimeout = TimeSpan.FromSeconds(2);
        await using var system = await ObjectStatusSystem.StartAsync(
            servers,
            ("ObjectStatus:BrokerTimeout", brokerTimeout.ToString())
        );
        await system.AcceptAsync("before");
        await system.SeenAsync(1);

        await servers.Postgres.KillAsync();
        await system.AcceptAsync("without-database");

        await servers.RabbitMq.KillAsync();
        using (var refused = await system.PostAsync("""{"object_ids":["refused"]}"""))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
            await ObjectStatusSystem.ProblemAsync(refused);
        }

        await servers.Postgres.StartAgainAsync();
        await system.AcceptAsync(Enumerable.Range(1, 2_000).Select(number => $"many-{number}"));
        // One callback a second finds out whether the broker is back, the others do not wait for it. On a machine that does much
        // else all of the first ones may find out.
        var count = 0;
        for (TimeSpan? fastest = null; fastest is null || fastest >= brokerTimeout; )
        {
            Assert.True(count < 20, $"Each callback waited for the broker, the fastest {fastest}.");
            var watch = Stopwatch.StartNew();
            await system.AcceptAsync($"without-broker-{++count}");
            fastest = fastest < watch.Elapsed ? fastest : watch.Elapsed;
        }

        await servers.RabbitMq.StartAgainAsync();
        await system.SeenAsync(2_002 + count);
        Assert.DoesNotContain("refused", system.Api.Calls.Keys);
    }
}
