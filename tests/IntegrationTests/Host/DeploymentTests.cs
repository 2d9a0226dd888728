using System.Text.Json;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using RabbitMQ.Client.Exceptions;
using Sagas.Contracts;

namespace Sagas.IntegrationTests.Host;

public sealed class DeploymentTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private const string Customer = """{"customerId":"c","firstName":"Jane","lastName":"Doe","email":"jane@example.com","phone":"555-0199"}""";
    private const string Payment = """{"paymentId":"p","customerId":"c","amount":1,"currency":"EUR"}""";

    [Fact]
    public async Task What_one_role_publishes_waits_for_a_role_that_has_never_run_here()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Roles", "sagas"));
        await system.StartAsync();
        await system.PublishAsync("CustomerRegistered", Customer);
        await system.WaitForAsync("SELECT count(*) FROM customer_state", 1L);
        await system.PublishAsync("PaymentRequested", Payment);
        await system.WaitForAsync("SELECT current_state FROM payment_state", "Processing");
        await system.WaitForAsync("SELECT count(*) FROM outbox_message", 0L);
        Assert.Equal(1, await system.TakeAllAsync("process-payment", 1));
    }

    [Fact]
    public async Task A_process_without_the_sagas_leaves_their_queues_alone()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Roles", "payments"));
        await system.StartAsync();
        await system.PublishAsync("CustomerRegistered", Customer);
        await system.WaitForCountAsync("customer-saga", 1);
        Assert.Equal(0L, await system.QueryAsync<long>("SELECT count(*) FROM inbox_state"));
    }

    // Declared by two at once, a queue costs one of them its connection.
    [Fact]
    public async Task Processes_that_start_together_take_turns_to_declare_the_queues()
    {
        await using var system = await TestSystem.CreateAsync(servers);
        await using var other = await NpgsqlDataSource.Create(system.Settings["ConnectionStrings:Postgres"]!).OpenConnectionAsync();
        await using var turn = await other.BeginTransactionAsync();
        await using (var take = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({AdvisoryLocks.QueueDeployment})", other))
            await take.ExecuteNonQueryAsync();
        var starting = system.StartAsync();
        await system.WaitForAsync(
            $"""
            SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
            WHERE datname = current_database() AND locktype = 'advisory' AND objid = {AdvisoryLocks.QueueDeployment} AND NOT granted
            """,
            1L);
        await Assert.ThrowsAsync<OperationInterruptedException>(() => system.CountAsync("customer-saga"));
        await turn.RollbackAsync();
        await starting;
        Assert.Equal(0u, await system.CountAsync("customer-saga"));
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
        await using var system = await TestSystem.CreateAsync(servers, ("Logging:Format", "json"), ("Serilog:MinimumLevel:Default", "Debug"));
        await system.StartAsync();
        await system.StopAsync();
        var id = Guid.NewGuid();
        await system.PublishAsync("CustomerRegistered", Customer, new RabbitMQ.Client.BasicProperties { MessageId = id.ToString() });
        await system.PublishAsync("CustomerRegistered", """{"customerId":"","firstName":"Jane","email":"jane@example.com"}""");
        using var process = InterruptionTests.Start(system.Settings, output: true);
        var lines = new List<string>();
        bool consumed = false, refused = false;
        while (!(consumed && refused) && await process.StandardOutput.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            var entry = JsonDocument.Parse(line).RootElement;
            var message = entry.GetProperty("@m").GetString()!;
            refused |= message.Contains("CustomerId must not be empty");
            if (!message.StartsWith("RECEIVE", StringComparison.Ordinal) || !message.Contains("customer-saga"))
                continue;
            consumed = true;
            Assert.Equal(id.ToString(), entry.GetProperty("MessageId").GetString());
            Assert.Equal(id.ToString(), entry.GetProperty("ConversationId").GetString());
            Assert.Equal(SagaIdentity.Customer("c").ToString(), entry.GetProperty("CorrelationId").GetString());
        }
        process.Kill();
        Assert.True(consumed && refused);
        Assert.All(lines, line => Assert.All((string[])["Jane", "jane@", "555-0199"], text => Assert.DoesNotContain(text, line)));
    }
}
