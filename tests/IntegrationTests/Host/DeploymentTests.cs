using System.Globalization;
using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client.Exceptions;
using Sagas.Contracts;
using Sagas.Host.Bus;

namespace Sagas.IntegrationTests.Host;

public sealed class DeploymentTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private const string Customer =
        """{"customerId":"c","firstName":"Jane","lastName":"Doe","email":"jane@example.com","phone":"555-0199"}""";

    // Of two processes that declare a queue at once, one loses its connection.
    [Fact]
    public async Task Processes_take_turns_to_declare_the_queues_and_consume_only_those_of_their_roles()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Roles", "payments"));
        Task starting;
        await using (
            var turn = await AdvisoryLockGate.CloseAsync(
                system.Settings["ConnectionStrings:Postgres"]!,
                long.Parse(TopologyDeployment.AdvisoryLock, CultureInfo.InvariantCulture)
            )
        )
        {
            starting = system.StartAsync();
            await turn.ReachedAsync();
            await Assert.ThrowsAsync<OperationInterruptedException>(() => system.CountAsync("customer-saga"));
        }
        await starting;

        await system.PublishAsync("CustomerRegistered", Customer);
        await system.WaitForCountAsync("customer-saga", 1);
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM inbox_state"));
    }

    [Fact]
    public async Task Without_a_broker_the_sagas_run_on_the_in_memory_bus()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Bus:Transport", "InMemory"));
        await system.StartAsync();
        await system.Services.GetRequiredService<IBus>().Publish(new PaymentRequested("p", "c", 1, "EUR"));
        await system.WaitForAsync("SELECT current_state FROM payment_state", "AwaitingCustomer");
        await system.Services.GetRequiredService<IBus>().Publish(new CustomerRegistered("c"));
        await system.WaitForAsync("SELECT current_state FROM payment_state", "Processing");
    }

    [Fact]
    public async Task Every_line_logged_while_a_message_is_consumed_names_it_and_no_line_names_a_person()
    {
        await using var system = await TestSystem.CreateAsync(
            servers,
            ("Roles", "sagas"),
            ("Logging:Format", "json"),
            ("Serilog:MinimumLevel:Default", "Debug"),
            ("Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime", "Information")
        );
        var id = Guid.NewGuid();
        using var process = HostProcess.Start(system.Settings);
        await process.SaysAsync("Application started");
        await system.PublishAsync(
            "CustomerRegistered",
            Customer,
            new RabbitMQ.Client.BasicProperties { MessageId = id.ToString() }
        );
        await system.PublishAsync("CustomerRegistered", """{"customerId":"","firstName":"Jane","email":"jane@example.com"}""");
        var lines = new List<string>();
        bool consumed = false,
            invalid = false;
        while (!(consumed && invalid))
        {
            var line = await process.ReadLineAsync();
            lines.Add(line);
            var entry = JsonDocument.Parse(line).RootElement;
            var message = entry.GetProperty("@m").GetString()!;
            invalid |= message.Contains("CustomerId must not be empty");
            if (!message.StartsWith("RECEIVE", StringComparison.Ordinal) || !message.Contains("customer-saga"))
                continue;
            consumed = true;
            Assert.Equal(id.ToString(), entry.GetProperty("MessageId").GetString());
            Assert.Equal(id.ToString(), entry.GetProperty("ConversationId").GetString());
            Assert.Equal(SagaIdentity.Customer("c").ToString(), entry.GetProperty("CorrelationId").GetString());
        }
        Assert.All(lines, line => Assert.All((string[])["Jane", "jane@", "555-0199"], text => Assert.DoesNotContain(text, line)));
    }
}
