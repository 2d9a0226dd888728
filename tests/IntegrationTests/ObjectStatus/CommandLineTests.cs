using Sagas.IntegrationTests.CommandLine;
using Sagas.IntegrationTests.Host;

namespace Sagas.IntegrationTests.ObjectStatus;

public sealed class CommandLineTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task Objects_are_posted_to_the_callback_and_those_online_are_listed_with_their_age()
    {
        await using var system = await ObjectStatusSystem.StartAsync(servers);
        var sagas = new CommandLineRunner(
            system.Host.Settings["ConnectionStrings:Postgres"]!,
            new Uri(system.Host.Settings["RabbitMq:Uri"]!)
        );

        var posted = await sagas.JsonAsync("objects", "post", "1", "2", "lamp", "2", "--callback", system.Callback.ToString());
        await system.SeenAsync(2);
        var listed = await sagas.JsonAsync("objects", "list");
        var shown = await sagas.RunAsync("objects", "list");

        Assert.Equal(3, posted.GetProperty("accepted").GetInt32());
        Assert.Equal(["2", "lamp"], listed.EnumerateArray().Select(row => row.GetProperty("objectId").GetString()).Order());
        Assert.All(
            listed.EnumerateArray(),
            row => Assert.InRange(row.GetProperty("ageMs").GetInt64(), 0, (long)Eventually.Timeout.TotalMilliseconds)
        );
        Assert.Contains("lamp", shown.Output);
        Assert.Contains("Last seen", shown.Output);

        var rejected = await sagas.RunAsync("objects", "post", "1", "--callback", system.Host.Http.BaseAddress + "callback");
        Assert.Equal(1, rejected.ExitCode);
        Assert.Contains("404", rejected.Error);
        var wrongPath = await sagas.RunAsync("objects", "post", "1", "--callback", new Uri(system.Callback, "/").ToString());
        Assert.Equal(1, wrongPath.ExitCode);
        Assert.Contains($"the callback's path is /callback. Use {system.Callback}.", wrongPath.Error);
    }
}
