using System.Buffers;
using System.Text.Json;

namespace Sagas.Services.Messages;

/// <summary>
/// Reads JSON from outside, whatever way it came. Comments, trailing commas and a byte order mark are accepted.
/// </summary>
internal static class IncomingJson
{
    private const int MaxNameLength = 100;

    // Of a property that is given twice, one value would be lost without a trace.
    private static readonly JsonDocumentOptions _options = new()
    {
        AllowDuplicateProperties = false,
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
    };

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private static ReadOnlySpan<byte> Gzip => [0x1F, 0x8B];

    /// <summary>Reads a body.</summary>
    /// <returns>To be disposed; it is valid as long as the body is.</returns>
    /// <exception cref="InvalidMessageException">It is empty, not JSON, or has a property twice.</exception>
    public static JsonDocument Parse(ReadOnlySequence<byte> body)
    {
        if (StartsWith(body, ByteOrderMark))
            body = body.Slice(ByteOrderMark.Length);
        if (body.IsEmpty)
            throw new InvalidMessageException("The body is empty; a JSON object was expected.");
        try
        {
            return JsonDocument.Parse(body, _options);
        }
        catch (JsonException exception)
        {
            throw new InvalidMessageException(
                StartsWith(body, Gzip) ? "The body is not JSON, but compressed: send it uncompressed."
                : PropertyGivenTwice(body) is { } name ? $"The body has the property '{name}' more than once; send it once."
                : $"The body is not JSON: it cannot be read from line {exception.LineNumber + 1}, "
                    + $"byte {exception.BytePositionInLine + 1} on."
            );
        }
        // The name of a property has half of a surrogate pair.
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            throw new InvalidMessageException("The body is not JSON: a property has a name that is not valid Unicode text.");
        }
    }

    private static bool StartsWith(ReadOnlySequence<byte> body, ReadOnlySpan<byte> prefix)
    {
        Span<byte> start = stackalloc byte[prefix.Length];
        if (body.Length < prefix.Length)
            return false;
        body.Slice(0, prefix.Length).CopyTo(start);
        return start.SequenceEqual(prefix);
    }

    // The reader's exception says neither which property it is nor, except in its text, that it is one.
    private static string? PropertyGivenTwice(ReadOnlySequence<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, _options with { AllowDuplicateProperties = true });
            return Twice(document.RootElement) is { } name ? name[..Math.Min(name.Length, MaxNameLength)] : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? Twice(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
            return element.EnumerateArray().Select(Twice).FirstOrDefault(name => name is not null);
        if (element.ValueKind != JsonValueKind.Object)
            return null;
        var names = new HashSet<string>(StringComparer.Ordinal);
        return element
            .EnumerateObject()
            .Select(property => names.Add(property.Name) ? Twice(property.Value) : property.Name)
            .FirstOrDefault(name => name is not null);
    }
}
