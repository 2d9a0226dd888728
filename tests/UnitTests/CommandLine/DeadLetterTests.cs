using System.Text;
using RabbitMQ.Client;
using Sagas.Cli.Broker;
using Sagas.Services;

namespace Sagas.UnitTests.CommandLine;

public sealed class DeadLetterTests
{
    [Fact]
    public void It_shows_what_failed_where_when_and_why()
    {
        var letter = DeadLetter.From(
            "payment-saga_error",
            Delivery(
                """{"messageType":["urn:message:Sagas.Contracts:PaymentRequested"],"message":{}}""",
                id: "01a1fc3e-7170-7d16-91b2-2f27d6a0625a",
                headers: new()
                {
                    ["MT-Fault-Message"] = "Amount must be greater than zero."u8.ToArray(),
                    ["MT-Fault-ExceptionType"] = "Sagas.InvalidMessageException"u8.ToArray(),
                    ["MT-Fault-Timestamp"] = "2026-05-01T12:00:00.0000000Z"u8.ToArray(),
                }
            )
        );

        Assert.Equal("01a1fc3e-7170-7d16-91b2-2f27d6a0625a", letter.MessageId);
        Assert.Equal("payment-saga", letter.Queue);
        Assert.Equal("PaymentRequested", letter.Message);
        Assert.Equal("Amount must be greater than zero.", letter.Reason);
        Assert.Equal("Sagas.InvalidMessageException", letter.ExceptionType);
        Assert.Equal(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero), letter.FailedAt);
    }

    [Fact]
    public void A_message_without_an_id_is_named_by_its_content()
    {
        var first = DeadLetter.From("payment-saga_error", Delivery("{ no json"));
        var again = DeadLetter.From("payment-saga_error", Delivery("{ no json"));
        var other = DeadLetter.From("payment-saga_error", Delivery("{ nor this"));

        Assert.StartsWith("body-", first.MessageId);
        Assert.Equal(first.MessageId, again.MessageId);
        Assert.NotEqual(first.MessageId, other.MessageId);
    }

    [Theory]
    [InlineData("{ no json", null, null)]
    [InlineData("[]", null, null)]
    [InlineData("""{"messageType":[]}""", null, null)]
    [InlineData("""{"paymentId":"a"}""", "MT-MessageType", "urn:message:Sagas.Contracts:PaymentRequested")]
    [InlineData("""{"paymentId":"a"}""", "RabbitMQ-ExchangeName", "PaymentRequested")]
    public void The_type_of_plain_JSON_is_read_from_its_headers(string body, string? header, string? value)
    {
        var headers = new Dictionary<string, object?>();
        if (header is not null)
            headers[header] = Encoding.UTF8.GetBytes(value!);

        Assert.Equal(
            header is null ? null : "PaymentRequested",
            DeadLetter.From("payment-saga_error", Delivery(body, headers: headers)).Message
        );
    }

    [Fact]
    public void The_error_queue_of_every_endpoint_is_read()
    {
        var queues = DeadLetterQueues.Of([]);

        Assert.All(Features.Product.Endpoints, endpoint => Assert.Contains(endpoint.Queue + "_error", queues));
        Assert.Superset(
            new HashSet<string> { "send-alert_error", "sync-customer_error", "object-status_error", "object-status-lists_error" },
            queues.ToHashSet()
        );
    }

    [Fact]
    public void Named_queues_are_read_besides_those_of_the_services()
    {
        var queues = DeadLetterQueues.Of(["billing", "old_error"]);

        Assert.Superset(
            new HashSet<string>
            {
                "customer-saga_error",
                "payment-saga_error",
                "process-payment_error",
                "billing_error",
                "billing_skipped",
                "old_error",
            },
            queues.ToHashSet()
        );
        Assert.DoesNotContain("old_error_error", queues);
    }

    private static BasicGetResult Delivery(string body, string? id = null, Dictionary<string, object?>? headers = null) =>
        new(
            1,
            false,
            "payment-saga_error",
            "",
            0,
            new BasicProperties { MessageId = id, Headers = headers ?? [] },
            Encoding.UTF8.GetBytes(body)
        );
}
