using System.Text;
using System.Text.Json;
using RabbitMQ.Client;

namespace Sagas.IntegrationTests.Host;

public sealed class AnswerTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task What_is_published_in_answer_to_plain_JSON_has_none_of_its_headers_and_is_of_its_conversation()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Roles", "sagas"));
        await system.StartAsync();
        await using var channel = await system.OpenChannelAsync();
        await system.PublishAsync("CustomerRegistered", """{"customerId":"c"}""");
        await system.WaitForAsync("SELECT count(*) FROM customer_state", 1L);
        var id = Guid.NewGuid();
        var properties = new BasicProperties
        {
            MessageId = id.ToString(),
            Headers = new Dictionary<string, object?> { ["tenant"] = "blue", ["CC"] = new List<object> { "elsewhere" } },
        };
        await system.PublishAsync("PaymentRequested", """{"paymentId":"p","customerId":"c","amount":1,"currency":"EUR"}""", properties);
        await system.WaitForAsync("SELECT count(*) FROM payment_state WHERE current_state = 'Processing'", 1L);
        await system.WaitForAsync("SELECT count(*) FROM outbox_message", 0L);

        var answer = await channel.BasicGetAsync("process-payment", autoAck: true);
        Assert.NotNull(answer);
        Assert.DoesNotContain(answer.BasicProperties.Headers?.Keys ?? [], name => name.StartsWith("RabbitMQ-", StringComparison.Ordinal) || name is "tenant" or "CC");
        var envelope = JsonDocument.Parse(Encoding.UTF8.GetString(answer.Body.Span)).RootElement;
        Assert.True(!envelope.TryGetProperty("headers", out var headers) || !headers.EnumerateObject().Any(), envelope.ToString());
        Assert.Equal(id, envelope.GetProperty("conversationId").GetGuid());
    }
}
