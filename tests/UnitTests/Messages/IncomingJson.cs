using System.Text;
using MassTransit;
using MassTransit.Serialization;
using Sagas.Services.Messages;

namespace Sagas.UnitTests.Messages;

/// <summary>Reads bodies as the endpoints do.</summary>
internal static class IncomingJson
{
    public static readonly MessagesOptions Options = new();

    public static SerializerContext Plain(string body, string? exchange = null, params (string Name, object Value)[] headers) =>
        Plain(Encoding.UTF8.GetBytes(body), exchange, headers);

    public static SerializerContext Plain(byte[] body, string? exchange = null, params (string Name, object Value)[] headers)
    {
        var all = new DictionarySendHeaders();
        if (exchange is not null)
            all.Set("RabbitMQ-ExchangeName", exchange);
        foreach (var (name, value) in headers)
            all.Set(name, value);
        return new PlainJsonSerializerFactory(Options, ContractTypes.Product, TimeProvider.System)
            .CreateDeserializer()
            .Deserialize(new BytesMessageBody(body), all);
    }

    public static SerializerContext Envelope(string body) =>
        new EnvelopeSerializerFactory(Options, ContractTypes.Product)
            .CreateDeserializer()
            .Deserialize(new StringMessageBody(body), new DictionarySendHeaders());

    public static T Read<T>(SerializerContext context)
        where T : class
    {
        Assert.True(context.TryGetMessage<T>(out var message));
        return message!;
    }

    public static string Rejection(Action action) => Assert.Throws<InvalidMessageException>(action).Message;
}
