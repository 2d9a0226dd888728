using System.Text;
using System.Text.Json;
using RabbitMQ.Client;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>The command line with running services.</summary>
public sealed class WithServicesTests(RunningServices services) : IClassFixture<RunningServices>
{
    private readonly CommandLineRunner _sagas = services.Sagas;

    [Fact]
    [Trait("Category", "Smoke")]
    public async Task A_waiting_payment_is_shown_waiting_and_once_its_customer_is_registered_completed()
    {
        await _sagas.JsonAsync("p", "4711", "--payment-id", "invoice-8", "--amount", "12.34", "--currency", "GBP");
        var waiting = await _sagas.JsonWhenAsync(
            payment => payment.GetProperty("messages").GetArrayLength() == 1 && Text(payment, "nextDueAt") is not null,
            "payments",
            "show",
            "invoice-8"
        );
        Assert.Equal("AwaitingCustomer", Text(waiting, "state"));
        Assert.False(waiting.GetProperty("customerIsKnown").GetBoolean());
        Assert.Equal("PaymentRedeliveryDue", Text(waiting.GetProperty("messages")[0], "message"));
        var unknown = await _sagas.RunAsync("customers", "show", "4711");
        Assert.Equal(4, unknown.ExitCode);
        Assert.Contains("invoice-8", unknown.Error);

        await _sagas.JsonAsync("c", "4711", "--name", "Ada Lovelace", "--email", "ada@example.org", "--phone", "+44");
        var completed = await _sagas.JsonWhenAsync(
            payment => Text(payment, "state") == "Completed",
            "payments",
            "show",
            "invoice-8"
        );
        Assert.Equal(12.34m, completed.GetProperty("amount").GetDecimal());
        Assert.Equal("done", Text(completed.GetProperty("gatewayCall"), "state"));
        var steps = completed.GetProperty("timeline").EnumerateArray().Select(step => Text(step, "toState")).Distinct();
        Assert.Equal(["AwaitingCustomer", "Processing", "Completed"], steps);

        var customer = await _sagas.JsonAsync("customers", "show", "4711");
        Assert.Equal("Lovelace", Text(customer.GetProperty("customer"), "lastName"));
        Assert.Equal("invoice-8", Text(customer.GetProperty("payments")[0], "paymentId"));
        Assert.Contains("invoice-8", Texts(await _sagas.JsonAsync("payments", "list", "--state", "completed"), "paymentId"));
        Assert.Equal(0, (await _sagas.JsonAsync("payments", "list", "--state", "Expired")).GetArrayLength());
        Assert.Contains("only an Expired payment", (await _sagas.RunAsync("payments", "revive", "invoice-8")).Error);
    }

    [Fact]
    public async Task Many_customers_are_published_and_each_is_listed()
    {
        var published = await _sagas.JsonAsync("c", "load", "--count", "20");

        Assert.Equal(20, published.GetProperty("count").GetInt32());
        Assert.Equal(20, published.GetProperty("messages").GetArrayLength());
        var expected = Enumerable.Range(1, 20).Select(number => $"load-{number}").Order(StringComparer.Ordinal);
        await _sagas.JsonWhenAsync(
            list =>
                Texts(list, "customerId")
                    .Where(id => id!.StartsWith("load-", StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal)
                    .SequenceEqual(expected),
            "customers",
            "list",
            "--limit",
            "2000"
        );
    }

    [Fact]
    public async Task An_invalid_message_is_listed_with_the_reason_and_fails_again_when_retried()
    {
        await _sagas.JsonAsync("p", "4712", "--payment-id", "invoice-9");
        await _sagas.JsonWhenAsync(payment => Text(payment, "state") is not null, "payments", "show", "invoice-9");
        await _sagas.JsonAsync("p", "4712", "--payment-id", "invoice-9", "--amount", "99");

        var first = await LetterAsync(letter => Text(letter, "reason")!.Contains("invoice-9", StringComparison.Ordinal));
        Assert.Equal("payment-saga", Text(first, "queue"));
        Assert.Equal("PaymentRequested", Text(first, "message"));
        Assert.NotNull(Text(first, "failedAt"));

        await _sagas.JsonOnceDoneAsync("deadletters", "retry", Text(first, "messageId")!);
        await LetterAsync(letter =>
            Text(letter, "messageId") == Text(first, "messageId") && Text(letter, "failedAt") != Text(first, "failedAt")
        );
    }

    [Fact]
    public async Task Invalid_plain_json_can_be_retried_with_its_message_type()
    {
        var id = Guid.NewGuid().ToString();
        await using var connection = await Broker.ConnectAsync(services.RabbitMq);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        await channel.BasicPublishAsync(
            "PaymentRequested",
            "",
            mandatory: true,
            new BasicProperties { MessageId = id },
            Encoding.UTF8.GetBytes("""{"paymentId":"invoice-10","customerId":"4713","amount":-1,"currency":"EUR"}""")
        );
        var letter = await LetterAsync(letter => Text(letter, "messageId") == id);

        await _sagas.JsonOnceDoneAsync("deadletters", "retry", id, "--as", "PaymentRequested");

        var again = await LetterAsync(each =>
            Text(each, "messageId") == id && Text(each, "failedAt") != Text(letter, "failedAt")
        );
        Assert.Contains("PaymentRequested", Text(again, "reason"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_retried_customer_without_a_time_is_as_old_as_when_it_was_first_sent(bool hasTimestamp)
    {
        var customer = hasTimestamp ? "old-by-timestamp" : "old-by-arrival";
        var id = Guid.NewGuid().ToString();
        var properties = new BasicProperties { MessageId = id };
        if (hasTimestamp)
            properties.Timestamp = new AmqpTimestamp(DateTimeOffset.UtcNow.AddHours(-1).ToUnixTimeSeconds());
        await using var connection = await Broker.ConnectAsync(services.RabbitMq);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        // Published to the queue itself, it does not name its type, which makes it a dead letter.
        await PublishAsync("", "customer-saga", properties, "Old");
        await LetterAsync(letter => Text(letter, "messageId") == id);
        await PublishAsync("CustomerRegistered", "", new BasicProperties(), "New");
        await _sagas.JsonWhenAsync(shown => Name(shown) == "New", "customers", "show", customer);

        await _sagas.JsonOnceDoneAsync("deadletters", "retry", id, "--as", "CustomerRegistered");

        await services.ConsumedAsync(id);
        Assert.Equal("New", Name(await _sagas.JsonAsync("customers", "show", customer)));

        ValueTask PublishAsync(string exchange, string queue, BasicProperties with, string name) =>
            channel.BasicPublishAsync(
                exchange,
                queue,
                mandatory: true,
                with,
                Encoding.UTF8.GetBytes($$"""{"customerId":"{{customer}}","firstName":"{{name}}"}""")
            );

        static string? Name(JsonElement shown) => shown.TryGetProperty("customer", out var held) ? Text(held, "firstName") : null;
    }

    private async Task<JsonElement> LetterAsync(Func<JsonElement, bool> isIt) =>
        (await _sagas.JsonWhenAsync(letters => letters.EnumerateArray().Any(isIt), "deadletters", "list"))
            .EnumerateArray()
            .Single(isIt);

    private static IEnumerable<string?> Texts(JsonElement list, string property) =>
        list.EnumerateArray().Select(element => Text(element, property));

    private static string? Text(JsonElement json, string property) => json.GetProperty(property).GetString();
}
