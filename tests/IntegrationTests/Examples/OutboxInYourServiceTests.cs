using System.Net.Http.Json;
using Sagas.Examples.OutboxInYourService;

namespace Sagas.IntegrationTests.Examples;

/// <summary>The example that uses nothing but the persistence package, on an empty database.</summary>
public sealed class OutboxInYourServiceTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task Every_order_is_announced_once()
    {
        await using var database = await servers.CreateEmptyDatabaseAsync("example");
        await using var virtualHost = await servers.CreateVirtualHostAsync("example");
        await using var service = OrderService.Create([
            $"--ConnectionStrings:Postgres={database.ConnectionString}",
            $"--RabbitMq:Uri={virtualHost.Uri}",
            "--urls=http://127.0.0.1:0",
            "--Logging:LogLevel:Default=Error",
        ]);
        await service.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(service.Urls.Single()) };

        for (var number = 0; number < 5; number++)
            (await http.PostAsync(new Uri($"orders/cat-{number}", UriKind.Relative), null)).EnsureSuccessStatusCode();

        await Eventually.EqualAsync(5, () => http.GetFromJsonAsync<int>(new Uri("announced", UriKind.Relative)));
        await Eventually.EqualAsync(
            0L,
            () => Postgres.QueryAsync<long>(database.ConnectionString, "SELECT count(*) FROM outbox_message")
        );
        await service.StopAsync();
    }
}
