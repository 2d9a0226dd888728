using System.Text;
using System.Text.Json;
using RabbitMQ.Client;

namespace Sagas.IntegrationTests.Host;

/// <summary>A process with the role <c>sagas</c> alone, where no other role has ever run.</summary>
public sealed class SagasRoleTests(SagasRoleTests.Shared shared) : IClassFixture<SagasRoleTests.Shared>
{
    [Fact]
    public async Task A_message_published_for_plain_JSON_has_its_conversation_id_and_none_of_its_headers()
    {
        var system = await shared.StartedAsync();
        await system.PublishAsync("CustomerRegistered", """{"customerId":"c"}""");
        await system.WaitForAsync("SELECT count(*) FROM customer_state WHERE customer_id = 'c'", 1L);
        var id = Guid.NewGuid();
        var properties = new BasicProperties
        {
            MessageId = id.ToString(),
            Headers = new Dictionary<string, object?>
            {
                ["tenant"] = "blue",
                ["CC"] = new List<object> { "elsewhere" },
            },
        };
        await system.PublishAsync(
            "PaymentRequested",
            """{"paymentId":"p","customerId":"c","amount":1,"currency":"EUR"}""",
            properties
        );

        var answer = await system.TakeAsync("process-payment");
        Assert.DoesNotContain(
            answer.BasicProperties.Headers?.Keys ?? [],
            name => name.StartsWith("RabbitMQ-", StringComparison.Ordinal) || name is "tenant" or "CC"
        );
        var envelope = JsonDocument.Parse(Encoding.UTF8.GetString(answer.Body.Span)).RootElement;
        // MassTransit adds the trace's header where something in the process listens to traces.
        if (envelope.TryGetProperty("headers", out var headers))
        {
            Assert.DoesNotContain(headers.EnumerateObject(), header => header.Name is not "MT-Activity-Id");
        }
        Assert.Equal(id, envelope.GetProperty("conversationId").GetGuid());
    }

    [Fact]
    public async Task A_payment_that_waited_is_charged_with_the_decimals_of_its_currency()
    {
        var system = await shared.StartedAsync();
        foreach (var (amount, currency) in (IEnumerable<(string, string)>)[("12.3400", "EUR"), ("500", "JPY"), ("1.5", "KWD")])
            await system.PublishAsync(
                "PaymentRequested",
                $$"""{"paymentId":"money-{{currency}}","customerId":"money","amount":{{amount}},"currency":"{{currency}}"}"""
            );
        await system.WaitForAsync(
            "SELECT count(*) FROM payment_state WHERE customer_id = 'money' AND current_state = 'AwaitingCustomer'",
            3L
        );
        await system.PublishAsync("CustomerRegistered", """{"customerId":"money"}""");

        var charged = new List<string>();
        while (charged.Count < 3)
        {
            var message = JsonDocument.Parse((await system.TakeAsync("process-payment")).Body).RootElement.GetProperty("message");
            charged.Add($"{message.GetProperty("amount").GetString()} {message.GetProperty("currency").GetString()}");
        }

        Assert.Equal(["1.500 KWD", "12.34 EUR", "500 JPY"], charged.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Its_messages_wait_for_a_role_that_has_never_run()
    {
        var system = await shared.StartedAsync();
        await system.PublishAsync("CustomerRegistered", """{"customerId":"waits"}""");
        await system.WaitForAsync("SELECT count(*) FROM customer_state WHERE customer_id = 'waits'", 1L);
        await system.PublishAsync(
            "PaymentRequested",
            """{"paymentId":"waits","customerId":"waits","amount":1,"currency":"EUR"}"""
        );
        await system.WaitForAsync(
            "SELECT count(*) FROM payment_state WHERE payment_id = 'waits' AND current_state = 'Processing'",
            1L
        );
        Assert.Equal(1, await system.TakeAllAsync("process-payment", 1));
        await system.WaitForAsync("SELECT count(*) FROM outbox_message", 0L);
    }

    public sealed class Shared() : SharedSystem(new ServersFixture(), ("Roles", "sagas"));
}
