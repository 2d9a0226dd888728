using System.IO.Compression;
using System.Net.Mime;
using MassTransit;
using MassTransit.Serialization;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>A serializer whose bodies are binary: the JSON envelope, compressed.</summary>
internal sealed class GzipSerializerFactory : ISerializerFactory
{
    private static readonly ContentType _contentType = new("application/x-gzip-json");

    public ContentType ContentType => _contentType;

    public IMessageSerializer CreateSerializer() => new Serializer();

    public IMessageDeserializer CreateDeserializer() => new Deserializer();

    private static byte[] Run(byte[] input, Func<Stream, Stream> wrapInput, Func<Stream, Stream> wrapOutput)
    {
        using var output = new MemoryStream();
        using (var source = wrapInput(new MemoryStream(input)))
        using (var target = wrapOutput(output))
            source.CopyTo(target);
        return output.ToArray();
    }

    private sealed class Serializer : IMessageSerializer
    {
        private readonly SystemTextJsonMessageSerializer _json = new();

        public ContentType ContentType => _contentType;

        public MessageBody GetMessageBody<T>(SendContext<T> context)
            where T : class =>
            new Base64MessageBody(
                Convert.ToBase64String(
                    Run(
                        _json.GetMessageBody(context).GetBytes(),
                        input => input,
                        output => new GZipStream(output, CompressionLevel.Fastest)
                    )
                )
            );
    }

    private sealed class Deserializer : IMessageDeserializer
    {
        private readonly SystemTextJsonMessageSerializer _json = new();

        public ContentType ContentType => _contentType;

        public ConsumeContext Deserialize(ReceiveContext receiveContext) =>
            new BodyConsumeContext(
                receiveContext,
                Deserialize(receiveContext.Body, receiveContext.TransportHeaders, receiveContext.InputAddress)
            );

        public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null) =>
            _json.Deserialize(
                new BytesMessageBody(
                    Run(body.GetBytes(), input => new GZipStream(input, CompressionMode.Decompress), output => output)
                ),
                headers,
                destinationAddress
            );

        public MessageBody GetMessageBody(string text) => new Base64MessageBody(text);

        public void Probe(ProbeContext context) => context.CreateScope("gzip");
    }
}
