namespace Sagas.IntegrationTests.ObjectStatus;

/// <summary>Status fetches while the database is killed.</summary>
[Collection(nameof(KillableServers))]
public sealed class FetchOutageTests(KillableServers servers)
{
    [PrivateServersFact]
    public async Task An_answer_that_cannot_be_committed_is_kept_and_published_once_it_can()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers, ("ObjectStatus:CacheDuration", "01:00:00"));
        await system.KeepSightingsAsync();
        await system.AcceptAsync("warm");
        await system.SeenAsync(1);
        var answer = new TaskCompletionSource();
        system.Api.Before = _ => answer.Task;
        await system.AcceptAsync("a", "b", "c");
        await system.CalledAsync(4);

        await servers.Postgres.KillAsync();
        answer.SetResult();
        await servers.Postgres.StartAgainAsync();

        await system.SeenAsync(4);
        Assert.Equal(4, await system.SightingsAsync(4));
        Assert.Equal(4, system.Api.CallCount);
    }
}
