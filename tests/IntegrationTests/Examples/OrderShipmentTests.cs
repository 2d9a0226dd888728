using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Sagas.Examples.OrderShipment;
using Sagas.Host;
using Sagas.Services;

namespace Sagas.IntegrationTests.Examples;

/// <summary>The example's program on real servers.</summary>
public sealed class OrderShipmentTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task An_order_is_shipped_once_by_a_carrier_that_fails_first()
    {
        await using var carrier = await CarrierStub.StartAsync();
        await using var database = await servers.CreateDatabaseAsync();
        await using var virtualHost = await servers.CreateVirtualHostAsync();
        var features = new Features([.. Features.Product.Modules, new OrderShipmentModule()]);
        await using var host = SagasHost.Create(
            [],
            new Dictionary<string, string?>
            {
                ["Roles"] = OrderShipmentModule.OrdersRole,
                ["ConnectionStrings:Postgres"] = database.ConnectionString,
                ["RabbitMq:Uri"] = virtualHost.Uri.ToString(),
                ["Carrier:Url"] = carrier.Url,
                ["Serilog:MinimumLevel:Default"] = "Error",
                ["urls"] = "http://127.0.0.1:0",
            },
            features
        );
        await host.StartAsync();

        // Twice, with different message ids: an order is recognised by its own identifier.
        var body = """{"orderId":"order-1","customerId":"customer-1","address":"1 Harbour Street"}""";
        await Broker.PublishAsync(virtualHost.Uri, [new("OrderPlaced", body), new("OrderPlaced", body)], CancellationToken.None);

        await Eventually.EqualAsync(
            "Shipped",
            () =>
                Postgres.QueryAsync<string>(
                    database.ConnectionString,
                    "SELECT current_state FROM order_state WHERE order_id = 'order-1'"
                )
        );
        var key = OrderStateMachine.IdOf("order-1").ToString("D");
        Assert.True(carrier.Requests.Count >= 2);
        Assert.All(carrier.Requests, request => Assert.Equal(key, request));
        Assert.Equal([key], carrier.Shipments);
        Assert.Equal(
            "track-1",
            await Postgres.QueryAsync<string>(database.ConnectionString, "SELECT tracking_number FROM order_state")
        );
        await host.StopAsync();
    }
}
