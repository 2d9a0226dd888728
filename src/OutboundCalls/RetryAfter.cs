using System.Net.Http.Headers;

namespace Sagas.OutboundCalls;

/// <summary>The header <c>Retry-After</c>.</summary>
public static class RetryAfter
{
    /// <summary>How long the header asks to wait, from zero to a maximum; null: there is no such header.</summary>
    /// <param name="headers">The response's headers.</param>
    /// <param name="max">The longest wait that is obeyed.</param>
    /// <param name="timeProvider">The clock, where the response does not tell its own.</param>
    public static TimeSpan? Read(HttpResponseHeaders headers, TimeSpan max, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(timeProvider);
        // .NET reads no number above 2^31, which asks for a long time all the same.
        if (headers.RetryAfter is null && IsNumber(headers))
            return max;
        // A date is relative to the server's clock where the response tells it: clocks differ.
        var wait = headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - (headers.Date ?? timeProvider.GetUtcNow()),
            _ => (TimeSpan?)null,
        };
        return wait > max ? max
            : wait < TimeSpan.Zero ? TimeSpan.Zero
            : wait;
    }

    private static bool IsNumber(HttpResponseHeaders headers) =>
        headers.NonValidated.TryGetValues("Retry-After", out var values)
        && values is { Count: 1 }
        && values.Single().AsSpan().Trim() is { Length: > 0 } text
        && !text.ContainsAnyExceptInRange('0', '9');
}
