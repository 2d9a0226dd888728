using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Sagas.IntegrationTests.Host;

public sealed class BadInputTests(BadInputTests.Shared shared) : IClassFixture<BadInputTests.Shared>
{
    private static readonly string[] _payments =
    [
        "not JSON|not JSON",
        "|empty",
        "[1]|must be a JSON object",
        """{"customerId":"c","amount":1,"currency":"EUR"}|PaymentId is missing""",
        """{"paymentId":"p","customerId":"c","amount":"much","currency":"EUR"}|Amount must be a decimal number""",
        """{"paymentId":"p","customerId":"c","amount":-1,"currency":"EUR"}|Amount must be greater than zero""",
        """{"paymentId":"p","customerId":"c","amount":1e15,"currency":"EUR"}|Amount must be at most""",
        """{"paymentId":"p","customerId":"c","amount":1,"currency":"XYZ"}|Currency must be""",
        """{"paymentId":"","customerId":"c","amount":1,"currency":"EUR"}|PaymentId must not be empty""",
        """{"paymentId":"p","customerId":"c","amount":1,"currency":"EUR","requestedAt":"2999-01-01T00:00:00Z"}"""
            + "|RequestedAt lies in the future",
        """{"paymentId":"p","customerId":"c","amount":10.5,"currency":"JPY"}|Amount must be a whole number""",
        """{"paymentId":"p","customerId":"c","amount":1,"currency":"EUR","of":1,"of":2}|the property 'of' more than once""",
        """{"messageType":["urn:message:Sagas.Contracts:PaymentRequested"],"""
            + """ "message":{"paymentId":"p","paymentId":"q","customerId":"c","amount":1,"currency":"EUR"}}"""
            + "|the property 'paymentId' more than once",
        """{"messageId":"x","messageType":["urn:message:Sagas.Contracts:PaymentRequested"],"message":{}}|not a Guid""",
        """{"messageType":["urn:message:Sagas.Contracts:PaymentRequested"],"""
            + """ "message":{"paymentId":"p","customerId":7,"amount":[]}}"""
            + "|Amount must be a decimal number",
        """{"messageType":["urn:message:Sagas.Contracts:CustomerRegistered"],"message":{"customerId":"c"}}"""
            + "|Nothing on the queue 'payment-saga' consumes",
    ];

    [Fact]
    [Trait("Category", "Smoke")]
    public async Task An_invalid_message_becomes_a_dead_letter_with_its_reason_and_the_endpoint_continues()
    {
        var system = await shared.StartedAsync();
        await using var letters = await system.ReadDeadLettersAsync("payment-saga");
        foreach (
            var (body, reason) in _payments.Select(line => (line[..line.LastIndexOf('|')], line[(line.LastIndexOf('|') + 1)..]))
        )
        {
            await system.PublishAsync("PaymentRequested", body);
            var letter = await letters.NextAsync();
            Assert.Equal(body, letter.Body);
            Assert.Contains(reason, letter.Reason);
        }
        await system.PublishAsync(
            "PaymentRequested",
            """{"PaymentID":"good","customer_id":1,"amount":"12.5","currency":"eur"}"""
        );
        await system.WaitForAsync(
            "SELECT count(*) FROM payment_state WHERE payment_id = 'good' AND customer_id = '1' AND amount = 12.5",
            1L
        );
        Assert.True(letters.IsEmpty);
        await system.WaitForCountAsync("payment-saga", 0);
    }

    [Fact]
    public async Task A_body_that_is_too_long_becomes_a_dead_letter()
    {
        var system = await shared.StartedAsync();
        await using var letters = await system.ReadDeadLettersAsync("customer-saga");
        await system.PublishAsync(
            "CustomerRegistered",
            $$"""{"customerId":"c","firstName":"{{new string('x', 1024 * 1024)}}"}"""
        );
        Assert.Contains("longer than", (await letters.NextAsync()).Reason);
        await system.PublishAsync("CustomerRegistered", """{"customerId":"after-long"}""");
        await system.WaitForAsync("SELECT count(*) FROM customer_state WHERE customer_id = 'after-long'", 1L);
    }

    [Fact]
    public async Task A_message_sent_to_the_queue_itself_is_identified_by_its_header_or_its_AMQP_type()
    {
        var system = await shared.StartedAsync();
        await using var letters = await system.ReadDeadLettersAsync("customer-saga");
        var header = new BasicProperties
        {
            Headers = new Dictionary<string, object?> { ["MT-MessageType"] = "CustomerRegistered" },
        };
        await system.PublishAsync("", "customer-saga", Encoding.UTF8.GetBytes("""{"customerId":"by-header"}"""), header);
        await system.PublishAsync(
            "",
            "customer-saga",
            Encoding.UTF8.GetBytes("""{"customerId":"by-type"}"""),
            new BasicProperties { Type = "CustomerRegistered" }
        );
        await system.WaitForAsync("SELECT count(*) FROM customer_state WHERE customer_id IN ('by-header', 'by-type')", 2L);
        await system.PublishAsync("", "customer-saga", Encoding.UTF8.GetBytes("""{"customerId":"of-no-type"}"""));
        Assert.Contains("type of the message is not known", (await letters.NextAsync()).Reason);
    }

    [Fact]
    public async Task The_same_message_id_is_consumed_once()
    {
        var system = await shared.StartedAsync();
        await using var letters = await system.ReadDeadLettersAsync("customer-saga");
        foreach (var name in (string[])["first", "second"])
        {
            await system.PublishAsync(
                "CustomerRegistered",
                $$"""{"customerId":"twice","firstName":"{{name}}"}""",
                new BasicProperties { MessageId = "crm-17" }
            );
            // If both were queued, they could be consumed in either order.
            await system.WaitForAsync("SELECT count(*) FROM customer_state WHERE customer_id = 'twice'", 1L);
        }

        await system.PublishAsync("CustomerRegistered", """{"customerId":"after-twice"}""");
        await system.WaitForAsync("SELECT count(*) FROM customer_state WHERE customer_id = 'after-twice'", 1L);
        await system.WaitForCountAsync("customer-saga", 0);
        Assert.Equal(
            "first",
            await system.QueryAsync<string>("SELECT first_name FROM customer_state WHERE customer_id = 'twice'")
        );
        Assert.Equal(
            1L,
            await system.QueryAsync<long>(
                $"SELECT count(*) FROM saga_transition WHERE correlation_id = '{SagaIdentity.Customer("twice")}'"
            )
        );
        Assert.True(letters.IsEmpty);
    }

    // Headers of MassTransit's and of our own names, as producers set them that mean something else.
    [Fact]
    public async Task Headers_with_unexpected_values_do_not_count()
    {
        var system = await shared.StartedAsync();
        await using var letters = await system.ReadDeadLettersAsync("customer-saga");
        var headers = new Dictionary<string, object?>
        {
            ["MT-MessageType"] = 7,
            ["MT-Reason"] = 5L,
            ["MT-Fault-Message"] = new List<object?> { "x" },
            ["MessageId"] = new Dictionary<string, object?> { ["a"] = 1 },
            ["MT-Redelivery-Count"] = "abc",
            ["Sagas-First-Seen"] = 12.5,
            ["traceparent"] = 1,
        };
        await system.PublishAsync("CustomerRegistered", "not JSON", new BasicProperties { Headers = headers });
        Assert.Contains("The body is not JSON", (await letters.NextAsync()).Reason);
        await system.PublishAsync(
            "CustomerRegistered",
            """{"customerId":"odd-headers"}""",
            new BasicProperties { Headers = headers }
        );
        await system.WaitForAsync("SELECT count(*) FROM customer_state WHERE customer_id = 'odd-headers'", 1L);
        Assert.True(letters.IsEmpty);
    }

    // With the producer's user, the broker closes the endpoint's channel, and the message comes back, over and over.
    [Fact]
    public async Task A_dead_letter_has_neither_its_producers_user_nor_its_further_queues()
    {
        var system = await shared.StartedAsync();
        await using var letters = await system.ReadDeadLettersAsync("customer-saga");
        await system.PublishAsync(
            "CustomerRegistered",
            "not JSON",
            new BasicProperties
            {
                UserId = new Uri(system.Settings["RabbitMq:Uri"]!).UserInfo.Split(':')[0],
                Headers = new Dictionary<string, object?>
                {
                    ["CC"] = new List<object?> { "payment-saga" },
                    ["kept"] = "yes",
                },
            }
        );
        var letter = await letters.NextAsync();
        Assert.Null(letter.UserId);
        Assert.DoesNotContain("CC", letter.Headers.Keys);
        Assert.Contains("kept", letter.Headers.Keys);
    }

    [Theory]
    [InlineData("customer-saga")]
    [InlineData("payment-saga")]
    [InlineData("payment-saga_error")]
    public async Task Every_queue_is_a_quorum_queue(string queue)
    {
        var system = await shared.StartedAsync();
        await using var letters = await system.ReadDeadLettersAsync("payment-saga");
        await system.PublishAsync("PaymentRequested", "x");
        await letters.NextAsync();
        await using var channel = await system.OpenChannelAsync();
        await channel.QueueDeclareAsync(
            queue,
            true,
            false,
            false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }
        );
        await Assert.ThrowsAsync<OperationInterruptedException>(() =>
            channel.QueueDeclareAsync(queue, true, false, false, new Dictionary<string, object?> { ["x-queue-type"] = "classic" })
        );
    }

    public sealed class Shared() : SharedSystem(new ServersFixture());
}
