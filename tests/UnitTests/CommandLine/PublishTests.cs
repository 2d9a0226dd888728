using System.Text.Json;
using Sagas.Cli.Broker;
using Sagas.Cli.Customers;
using Sagas.Cli.Publish;
using Sagas.Contracts;

namespace Sagas.UnitTests.CommandLine;

public sealed class PublishTests
{
    [Theory]
    [InlineData("Ada Lovelace", "Ada", "Lovelace")]
    [InlineData("Ada King  Lovelace", "Ada King", "Lovelace")]
    [InlineData("Plato", "Plato", null)]
    [InlineData(null, null, null)]
    public void The_last_word_of_a_name_is_the_last_name(string? name, string? first, string? last) =>
        Assert.Equal((first, last), PublishCustomer.Split(name));

    [Fact]
    public void Several_ids_are_numbered_from_1_and_a_single_one_is_not()
    {
        Assert.Equal(["load"], PublishOptions.Ids("load", 1));
        Assert.Equal(["load-1", "load-2", "load-3"], PublishOptions.Ids("load", 3));
    }

    [Fact]
    public void A_message_is_published_in_the_envelope_of_MassTransit()
    {
        var message = new OutgoingMessage<PaymentRequested>("invoice-8", new("invoice-8", "4711", 12.34m, "EUR"));

        var envelope = JsonDocument.Parse(Envelope.Serialize(message)).RootElement;

        Assert.Equal(message.MessageId, envelope.GetProperty("messageId").GetGuid());
        Assert.NotEqual(Guid.Empty, envelope.GetProperty("conversationId").GetGuid());
        Assert.Equal(
            MassTransit.MessageUrn.ForTypeString<PaymentRequested>(),
            envelope.GetProperty("messageType")[0].GetString()
        );
        Assert.Equal("4711", envelope.GetProperty("message").GetProperty("customerId").GetString());
        Assert.Equal("12.34", envelope.GetProperty("message").GetProperty("amount").GetString());
    }
}
