using Sagas.Contracts;
using static Sagas.UnitTests.Messages.IncomingJson;

namespace Sagas.UnitTests.Messages;

public sealed class EnvelopeTests
{
    private const string Type = "urn:message:Sagas.Contracts:PaymentRequested";

    [Fact]
    public void A_message_in_an_envelope_is_read() =>
        Assert.Equal(
            new PaymentRequested("p", "c", 1m, "EUR"),
            Read<PaymentRequested>(
                Envelope(
                    "{\"messageType\":[\""
                        + Type
                        + "\"],\"message\":{\"paymentId\":\"p\",\"customerId\":\"c\",\"amount\":\"1\",\"currency\":\"EUR\"}}"
                )
            )
        );

    [Theory]
    [InlineData("""{"paymentId":"p","customerId":"c","amount":"x","currency":"EUR"}""", "Amount must be a decimal number")]
    [InlineData("""{"paymentId":"p","customerId":"c","currency":"EUR"}""", "Amount is missing")]
    [InlineData("""{"paymentId":["p"],"customerId":"c","amount":1,"currency":"EUR"}""", "PaymentId must be text")]
    [InlineData("17", "must be a JSON object")]
    public void A_wrong_field_in_an_envelope_is_named_as_in_plain_JSON(string message, string expected)
    {
        var context = Envelope($$"""{"messageType":["{{Type}}"],"message":{{message}}}""");
        Assert.Contains(expected, Rejection(() => context.TryGetMessage<PaymentRequested>(out _)));
    }

    [Theory]
    [InlineData("not json", "not JSON")]
    [InlineData("{}", "has no message")]
    [InlineData("""{"message":{}}""", "has no messageType")]
    [InlineData("""{"message":{},"messageType":"x"}""", "cannot be read")]
    [InlineData("""{"message":{},"messageType":["x"],"messageId":"17"}""", "not a Guid")]
    [InlineData("""{"message":{},"messageType":["x"],"sourceAddress":"not an address"}""", "cannot be read")]
    [InlineData("""{"message":{},"messageType":["x"],"sentTime":"soon"}""", "cannot be read")]
    public void An_envelope_that_cannot_be_read_is_invalid(string body, string expected) =>
        Assert.Contains(expected, Rejection(() => Envelope(body)));
}
