using System.Diagnostics;
using System.Net;

namespace Sagas.IntegrationTests.ObjectStatus;

/// <summary>The callback while the servers are killed.</summary>
[Collection(nameof(KillableServers))]
public sealed class CallbackOutageTests(KillableServers servers)
{
    [PrivateServersFact]
    public async Task Ids_are_accepted_without_broker_or_database_rejected_without_both_and_all_accepted_are_fetched()
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
        using (var rejected = await system.PostAsync("""{"object_ids":["rejected"]}"""))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, rejected.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), rejected.Headers.RetryAfter?.Delta);
            await ObjectStatusSystem.ProblemAsync(rejected);
        }

        await servers.Postgres.StartAgainAsync();
        await system.AcceptAsync(Enumerable.Range(1, 2_000).Select(number => $"many-{number}"));
        // One callback a second probes the broker; the others do not wait for it. On a busy machine each of the first ones may
        // be the one that probes.
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
        Assert.DoesNotContain("rejected", system.Api.Calls.Keys);
    }
}
