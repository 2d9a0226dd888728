using System.Buffers;
using System.Globalization;
using System.Text.Json;
using MassTransit;

namespace Sagas.Services.Messages;

/// <summary>Reads the body of a delivery as JSON.</summary>
internal static class IncomingBody
{
    /// <exception cref="InvalidMessageException">The body is too long, or not what <see cref="IncomingJson"/> reads.</exception>
    public static JsonElement Parse(MessageBody body, int maximumSize)
    {
        if (body.Length > maximumSize)
            throw TooLong(body.Length.Value, maximumSize);
        var bytes = body.GetBytes();
        if (bytes.Length > maximumSize)
            throw TooLong(bytes.Length, maximumSize);
        using var document = IncomingJson.Parse(new ReadOnlySequence<byte>(bytes));
        // A clone does not depend on the buffer, which the transport may reuse after the delivery.
        return document.RootElement.Clone();
    }

    private static InvalidMessageException TooLong(long size, int maximumSize) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The body is longer than the {maximumSize:N0} bytes accepted (Messages:MaxBodyBytes): {size:N0}."
            )
        );
}
