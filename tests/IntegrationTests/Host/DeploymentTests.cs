using System.Globalization;
using System.Net;
using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client.Exceptions;
using Sagas.Contracts;
using Sagas.Host.Bus;
using Sagas.IntegrationTests.Alarms;

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

    // Queues of sagas, of batches, of dead letters and of readers, declared by somebody else as RabbitMQ 3 declares them.
    [Fact]
    public async Task Queues_that_exist_with_other_arguments_are_used_as_they_are_and_reported()
    {
        string[] queues = ["customer-saga", "AlarmStatusChanged", "AlarmDigest", "payment-saga_error"];
        await using var system = await TestSystem.CreateAsync(servers);
        await using (var channel = await system.OpenChannelAsync())
        {
            foreach (var queue in queues)
                await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        }

        await system.StartAsync();

        await system.PublishAsync("CustomerRegistered", Customer);
        await system.WaitForAsync("SELECT count(*) FROM customer_state", 1L);
        await system.PublishAsync("PaymentRequested", "not JSON");
        await system.WaitForCountAsync("payment-saga_error", 1);
        await system.PublishAsync("PaymentRequested", """{"paymentId":"p","customerId":"c","amount":1,"currency":"EUR"}""");
        await system.WaitForAsync("SELECT count(*) FROM payment_state", 1L);
        var (status, checks) = await ReadyAsync(system);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("degraded", checks.GetProperty("queues").GetProperty("status").GetString());
        var description = checks.GetProperty("queues").GetProperty("description").GetString();
        Assert.All(queues, queue => Assert.Contains($"The queue {queue} exists with other arguments", description));
        Assert.Contains("or delete the queue once nothing is lost with it", description);
    }

    [Fact]
    public async Task A_changed_setting_of_a_queue_stops_nothing()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Roles", "sagas"));
        await system.StartAsync();
        Assert.Equal("healthy", (await ReadyAsync(system)).Checks.GetProperty("queues").GetProperty("status").GetString());
        await using var changed = system.AnotherProcess(("Alarms:DigestQueueTtl", "00:30:00"), ("Roles", "alarms"));

        await changed.StartAsync();

        await using var digests = await DigestReader.StartAsync(changed, "u");
        await changed.PublishAsync(
            "AlarmStatusChanged",
            """{"userId":"u","alarmId":"a","status":"WARNING","changedAt":"2026-01-01T00:00:00Z"}"""
        );
        await changed.WaitForAsync("SELECT count(*) FROM alarm", 1L);
        await changed.PublishAsync("SendAlarmDigest", """{"userId":"u"}""");
        Assert.Equal("u", (await digests.NextAsync()).UserId);
        var (status, checks) = await ReadyAsync(changed);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("x-message-ttl", checks.GetProperty("queues").GetProperty("description").GetString());
    }

    private static async Task<(HttpStatusCode Status, JsonElement Checks)> ReadyAsync(TestSystem system)
    {
        using var response = await system.Http.GetAsync("/health/ready");
        var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        return (response.StatusCode, body.GetProperty("checks"));
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
