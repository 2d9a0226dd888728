using Sagas.Contracts;
using Sagas.UnitTests.FileIntake;
using static Sagas.UnitTests.Messages.IncomingJson;

namespace Sagas.UnitTests.Messages;

public sealed class PlainJsonTests
{
    private const string Payment =
        """{"paymentId":"p-1","customerId":"c-1","amount":12.34,"currency":"EUR","requestedAt":"2026-01-31T12:00:00Z"}""";

    private static readonly PaymentRequested _expected = new(
        "p-1",
        "c-1",
        12.34m,
        "EUR",
        new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero)
    );

    [Theory]
    [InlineData(Payment)]
    [InlineData(
        """{"PaymentID":"p-1","CUSTOMERID":"c-1","Amount":"12.34","Currency":"EUR","RequestedAt":"2026-01-31T13:00:00+01:00"}"""
    )]
    [InlineData(
        """{"payment_id":"p-1","customer_id":"c-1","amount":1234e-2,"currency":"EUR","requested_at":"2026-01-31T12:00:00"}"""
    )]
    [InlineData(
        """
            {"payment-id":"p-1","customer-id":"c-1","amount":12.34,"currency":"EUR","requested-at":"2026-01-31T12:00:00Z",
             "colour":{"x":[1]}}
            """
    )]
    [InlineData(
        """
            // a comment
            {"paymentId":"p-1","customerId":"c-1","amount":12.34,"currency":"EUR","requestedAt":"2026-01-31T12:00:00Z",}
            """
    )]
    public void A_payment_is_read_in_every_spelling_of_its_fields(string body) =>
        Assert.Equal(_expected, Read<PaymentRequested>(Plain(body, "PaymentRequested")));

    [Fact]
    public void A_number_is_accepted_as_an_identifier() =>
        Assert.Equal("1", Read<CustomerRegistered>(Plain("""{"customerId":1}""", "CustomerRegistered")).CustomerId);

    [Fact]
    public void A_byte_order_mark_is_skipped() =>
        Assert.Equal(
            "c",
            Read<CustomerRegistered>(Plain([0xEF, 0xBB, 0xBF, .. """{"customerId":"c"}"""u8], "CustomerRegistered")).CustomerId
        );

    [Theory]
    [InlineData("PaymentRequested")]
    [InlineData("Sagas.Contracts.PaymentRequested")]
    [InlineData("urn:message:Sagas.Contracts:PaymentRequested")]
    public void The_type_can_be_named_in_a_header(string name) =>
        Assert.Equal(_expected, Read<PaymentRequested>(Plain(Payment, null, ("MT-MessageType", name))));

    [Fact]
    public void The_header_takes_precedence_over_the_exchange()
    {
        var context = Plain(Payment, "CustomerRegistered", ("MT-MessageType", "PaymentRequested"));
        Assert.True(context.IsSupportedMessageType<PaymentRequested>());
        Assert.False(context.IsSupportedMessageType<CustomerRegistered>());
        Assert.False(context.TryGetMessage<CustomerRegistered>(out _));
    }

    [Theory]
    [InlineData(null, "the queue itself")]
    [InlineData("orders", "'orders'")]
    public void A_message_of_unknown_type_is_invalid_and_the_reason_names_the_header(string? exchange, string expected)
    {
        var reason = Rejection(() => Plain(Payment, exchange));
        Assert.Contains(expected, reason);
        Assert.Contains("MT-MessageType", reason);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("hello", "not JSON")]
    [InlineData("{\"paymentId\":", "not JSON")]
    public void A_body_that_is_not_JSON_is_invalid(string body, string expected) =>
        Assert.Contains(expected, Rejection(() => Plain(body, "PaymentRequested")));

    [Fact]
    public void A_body_that_is_too_long_is_invalid() =>
        Assert.Contains("1,048,576", Rejection(() => Plain(new byte[Options.MaxBodyBytes + 1], "PaymentRequested")));

    [Theory]
    [InlineData("""{"customerId":"c","extra":1,"extra":2}""", "'extra' more than once")]
    [InlineData("""{"customerId":"c","of":[{"a":{"b":1,"b":2}}]}""", "'b' more than once")]
    [InlineData("""{"customerId":"c","Email":"a@b.c","e_mail":"d@b.c"}""", "Email is given more than once")]
    public void A_property_given_twice_is_invalid_and_named(string body, string expected) =>
        Assert.Contains(expected, Rejection(() => Plain(body, "CustomerRegistered").TryGetMessage<CustomerRegistered>(out _)));

    [Fact]
    public void A_compressed_body_is_invalid_and_the_reason_says_so() =>
        Assert.Contains(
            "send it uncompressed",
            Rejection(() => Plain(TextFile.Gzip("""{"customerId":"c"}"""u8.ToArray()), "CustomerRegistered"))
        );

    [Theory]
    [InlineData("[]", "must be a JSON object, and is a list")]
    [InlineData("""{"customerId":"c","amount":1,"currency":"EUR"}""", "PaymentId is missing")]
    [InlineData("""{"paymentId":null,"customerId":"c","amount":1,"currency":"EUR"}""", "PaymentId is missing")]
    [InlineData(
        """{"paymentId":{"id":1},"customerId":"c","amount":1,"currency":"EUR"}""",
        "PaymentId must be text, and is an object"
    )]
    [InlineData("""{"paymentId":1.5,"customerId":"c","amount":1,"currency":"EUR"}""", "PaymentId must be text, and is a number")]
    [InlineData("""{"paymentId":"p","customerId":"c","currency":"EUR"}""", "Amount is missing")]
    [InlineData("""{"paymentId":"p","customerId":"c","amount":"a lot","currency":"EUR"}""", "Amount must be a decimal number")]
    [InlineData("""{"paymentId":"p","customerId":"c","amount":1e400,"currency":"EUR"}""", "Amount must be a decimal number")]
    [InlineData("""{"paymentId":"p","customerId":"c","amount":true,"currency":"EUR"}""", "Amount must be a decimal number")]
    [InlineData("""{"paymentId":"p","customerId":"c","amount":1}""", "Currency is missing")]
    [InlineData(
        """{"paymentId":"p","customerId":"c","amount":1,"Amount":100,"currency":"EUR"}""",
        "Amount is given more than once"
    )]
    [InlineData(
        """{"paymentId":"p","customerId":"c","amount":1,"currency":"EUR","requestedAt":"soon"}""",
        "RequestedAt must be an ISO 8601 time"
    )]
    [InlineData(
        """{"paymentId":"p","customerId":"c","amount":1,"currency":"EUR","requestedAt":1700000000}""",
        "RequestedAt must be an ISO 8601 time"
    )]
    [InlineData(
        """{"paymentId":"\ud800","customerId":"c","amount":1,"currency":"EUR"}""",
        "PaymentId must be valid Unicode text"
    )]
    public void A_field_that_cannot_be_read_is_named_with_what_was_expected(string body, string expected)
    {
        var context = Plain(body, "PaymentRequested");
        var reason = Rejection(() => context.TryGetMessage<PaymentRequested>(out _));
        Assert.StartsWith("PaymentRequested: ", reason);
        Assert.Contains(expected, reason);
    }

    [Fact]
    public void A_reason_contains_no_personal_data() =>
        Assert.DoesNotContain(
            "jane",
            Rejection(() =>
                Plain("""{"customerId":"c","email":["jane@example.com"]}""", "CustomerRegistered")
                    .TryGetMessage<CustomerRegistered>(out _)
            )
        );

    [Fact]
    public void An_envelope_without_its_content_type_is_still_an_envelope()
    {
        var id = Guid.NewGuid();
        var context = Plain(
            $$"""{"messageId":"{{id}}","messageType":["urn:message:Sagas.Contracts:PaymentRequested"],"message":{{Payment}}}""",
            "anything"
        );
        Assert.Equal(_expected, Read<PaymentRequested>(context));
        Assert.Equal(id, context.MessageId);
    }

    [Fact]
    public void A_message_id_that_is_a_UUID_is_kept()
    {
        var id = Guid.NewGuid();
        var context = Plain(Payment, "PaymentRequested", ("MessageId", id.ToString()));
        Assert.Equal(id, context.MessageId);
        Assert.Equal(id, context.ConversationId);
    }

    [Fact]
    public void Any_other_message_id_gives_the_same_UUID_each_time_and_another_for_another_type()
    {
        var first = Plain(Payment, "PaymentRequested", ("MessageId", "order-17")).MessageId;
        Assert.Equal(first, Plain(Payment, "PaymentRequested", ("MessageId", "order-17")).MessageId);
        Assert.NotEqual(first, Plain(Payment, "PaymentRequested", ("MessageId", "order-18")).MessageId);
        Assert.NotEqual(first, Plain("""{"customerId":"c"}""", "CustomerRegistered", ("MessageId", "order-17")).MessageId);
    }

    [Fact]
    public void Without_a_message_id_every_delivery_has_its_own() =>
        Assert.NotEqual(Plain(Payment, "PaymentRequested").MessageId, Plain(Payment, "PaymentRequested").MessageId);

    [Fact]
    public void A_foreign_correlation_id_is_not_an_error() =>
        Assert.Null(Plain(Payment, "PaymentRequested", ("CorrelationId", "order 17")).CorrelationId);

    [Fact]
    public void The_response_address_is_not_read_from_a_foreign_header() =>
        Assert.Null(
            Plain(
                Payment,
                "PaymentRequested",
                ("MT-Response-Address", "rabbitmq://elsewhere/x"),
                ("MT-Fault-Address", "rabbitmq://elsewhere/y")
            ).ResponseAddress
        );
}
