using System.Net;
using System.Text.Json;

namespace Sagas.OutboundCalls;

/// <summary>A target's response.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Body">The body, at most 64 KiB of it.</param>
/// <param name="Complete">The whole body arrived and fitted.</param>
/// <param name="RetryAfter">How long the target asks to wait; null: it did not say.</param>
public sealed record CallResponse(HttpStatusCode Status, ReadOnlyMemory<byte> Body, bool Complete, TimeSpan? RetryAfter)
{
    // An answer that says a thing twice does not say it.
    private static readonly JsonSerializerOptions _json = new(JsonSerializerOptions.Web) { AllowDuplicateProperties = false };

    /// <summary>The status code's number.</summary>
    public int Code => (int)Status;

    /// <summary>Reads the body as JSON.</summary>
    /// <typeparam name="T">What it holds.</typeparam>
    /// <returns>Null when it is not that.</returns>
    public T? Read<T>()
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(Body.Span, _json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
