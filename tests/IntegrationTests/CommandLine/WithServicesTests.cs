using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using RabbitMQ.Client;
using Sagas.Host;
using Sagas.Simulators;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>The command line in front of services that run.</summary>
public sealed class WithServicesTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private TestDatabase _database = null!;
    private TestVirtualHost _host = null!;
    private CommandLineRunner _sagas = null!;
    private WebApplication _gateway = null!;
    private WebApplication _services = null!;

    public async Task InitializeAsync()
    {
        _database = await servers.CreateDatabaseAsync("cli");
        _host = await servers.CreateVirtualHostAsync("cli");
        _sagas = new CommandLineRunner(_database.ConnectionString, _host.Uri);
        _gateway = SimulatorHost.Create([], new Dictionary<string, string?> { ["urls"] = "http://127.0.0.1:0", ["Logging:LogLevel:Default"] = "Error" });
        await _gateway.StartAsync();
        _services = SagasHost.Create([], new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["ConnectionStrings:Postgres"] = _database.ConnectionString,
            ["RabbitMq:Uri"] = _host.Uri.ToString(),
            ["Payments:GatewayUrl"] = _gateway.Urls.First(),
            ["Crm:Url"] = _gateway.Urls.First() + "/crm",
            ["Serilog:MinimumLevel:Default"] = "Fatal",
        });
        await _services.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _services.StopAsync();
        await _services.DisposeAsync();
        await _gateway.DisposeAsync();
        await _host.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_payment_that_waits_is_shown_waiting_and_after_its_customer_came_completed()
    {
        await _sagas.JsonAsync("p", "4711", "--payment-id", "invoice-8", "--amount", "12.34", "--currency", "GBP");
        var waiting = await _sagas.JsonWhenAsync(payment => payment.GetProperty("messages").GetArrayLength() == 1 && Text(payment, "nextDueAt") is not null, "show", "payment", "invoice-8");
        Assert.Equal("AwaitingCustomer", Text(waiting, "state"));
        Assert.False(waiting.GetProperty("customerIsKnown").GetBoolean());
        Assert.Equal("PaymentRedeliveryDue", Text(waiting.GetProperty("messages")[0], "message"));
        var unknown = await _sagas.RunAsync("show", "customer", "4711");
        Assert.Equal(4, unknown.ExitCode);
        Assert.Contains("invoice-8", unknown.Error);

        await _sagas.JsonAsync("c", "4711", "--name", "Ada Lovelace", "--email", "ada@example.org", "--phone", "+44");
        var completed = await _sagas.JsonWhenAsync(payment => Text(payment, "state") == "Completed", "show", "payment", "invoice-8");
        Assert.Equal(12.34m, completed.GetProperty("amount").GetDecimal());
        Assert.Equal("done", Text(completed.GetProperty("gatewayCall"), "state"));
        var steps = completed.GetProperty("timeline").EnumerateArray().Select(step => Text(step, "toState")).Distinct();
        Assert.Equal(["AwaitingCustomer", "Processing", "Completed"], steps);

        var customer = await _sagas.JsonAsync("show", "customer", "4711");
        Assert.Equal("Lovelace", Text(customer.GetProperty("customer"), "lastName"));
        Assert.Equal("invoice-8", Text(customer.GetProperty("payments")[0], "paymentId"));
        Assert.Equal(1, (await _sagas.JsonAsync("list", "payments", "--state", "completed")).GetArrayLength());
        Assert.Equal(0, (await _sagas.JsonAsync("list", "payments", "--state", "Expired")).GetArrayLength());
        Assert.Contains("only an Expired one", (await _sagas.RunAsync("revive", "payment", "invoice-8")).Error);
    }

    [Fact]
    public async Task Many_are_published_and_every_one_arrives_once()
    {
        var published = await _sagas.JsonAsync("c", "load", "--count", "1100");

        Assert.Equal(1100, published.GetProperty("count").GetInt32());
        Assert.Equal(1100, published.GetProperty("messages").GetArrayLength());
        var customers = await _sagas.JsonWhenAsync(list => list.GetArrayLength() == 1100, "list", "customers", "--limit", "2000");
        Assert.Equal(1100, customers.EnumerateArray().Select(customer => Text(customer, "customerId")).Distinct().Count());
    }

    [Fact]
    public async Task A_message_that_is_refused_is_listed_with_the_reason_and_fails_again_when_retried()
    {
        await _sagas.JsonAsync("p", "4711", "--payment-id", "invoice-8");
        await _sagas.JsonWhenAsync(payment => Text(payment, "state") is not null, "show", "payment", "invoice-8");
        await _sagas.JsonAsync("p", "4711", "--payment-id", "invoice-8", "--amount", "99");

        var first = (await _sagas.JsonWhenAsync(letters => letters.GetArrayLength() == 1, "list", "deadletters"))[0];
        Assert.Equal("payment-saga", Text(first, "queue"));
        Assert.Equal("PaymentRequested", Text(first, "message"));
        Assert.Contains("invoice-8", Text(first, "reason"));
        Assert.NotNull(Text(first, "failedAt"));

        // What somebody looked at is there again a moment later.
        await _sagas.JsonWhenAsync(_ => true, "retry", "deadletter", Text(first, "messageId")!);
        var again = await _sagas.JsonWhenAsync(
            letters => letters.GetArrayLength() == 1 && Text(letters[0], "failedAt") != Text(first, "failedAt"), "list", "deadletters");
        Assert.Equal(Text(first, "messageId"), Text(again[0], "messageId"));
    }

    [Fact]
    public async Task Plain_json_that_was_refused_can_be_retried_by_saying_what_it_is()
    {
        await using var connection = await new ConnectionFactory { Uri = _host.Uri }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        await channel.BasicPublishAsync(
            "PaymentRequested", "", mandatory: true, new BasicProperties { MessageId = Guid.NewGuid().ToString() },
            Encoding.UTF8.GetBytes("""{"paymentId":"invoice-8","customerId":"4711","amount":-1,"currency":"EUR"}"""));
        var letter = (await _sagas.JsonWhenAsync(letters => letters.GetArrayLength() == 1, "list", "deadletters"))[0];

        // What somebody looked at is there again a moment later.
        await _sagas.JsonWhenAsync(_ => true, "retry", "deadletter", Text(letter, "messageId")!, "--as", "PaymentRequested");

        var again = await _sagas.JsonWhenAsync(
            letters => letters.GetArrayLength() == 1 && Text(letters[0], "failedAt") != Text(letter, "failedAt"), "list", "deadletters");
        Assert.Contains("PaymentRequested", Text(again[0], "reason"));
    }

    private static string? Text(JsonElement json, string property) => json.GetProperty(property).GetString();
}
