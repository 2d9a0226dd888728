using System.Globalization;
using System.Text.Json;
using MassTransit;

namespace Sagas.Services.Messages;

/// <summary>Reads the body of a delivery as JSON.</summary>
internal static class IncomingBody
{
    private static readonly JsonDocumentOptions _json = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
    };

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <exception cref="InvalidMessageException">The body is empty, too long or not JSON.</exception>
    public static JsonElement Parse(MessageBody body, int maximumSize)
    {
        if (body.Length > maximumSize)
            throw TooLong(body.Length.Value, maximumSize);
        var bytes = body.GetBytes().AsMemory();
        if (bytes.Length > maximumSize)
            throw TooLong(bytes.Length, maximumSize);
        if (bytes.Span.StartsWith(ByteOrderMark))
            bytes = bytes[ByteOrderMark.Length..];
        if (bytes.IsEmpty)
            throw new InvalidMessageException("The body is empty; a JSON object was expected.");
        try
        {
            using var document = JsonDocument.Parse(bytes, _json);
            // A clone does not depend on the buffer, which the transport may reuse after the delivery.
            return document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            throw new InvalidMessageException(
                $"The body is not JSON: it cannot be read from line {exception.LineNumber + 1}, "
                    + $"byte {exception.BytePositionInLine + 1} on."
            );
        }
    }

    private static InvalidMessageException TooLong(long size, int maximumSize) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The body is longer than the {maximumSize:N0} bytes accepted (Messages:MaxBodyBytes): {size:N0}."
            )
        );
}
