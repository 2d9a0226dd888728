using MassTransit;

namespace Sagas.Services.Messages;

/// <summary>Reads the headers of a delivery, which a producer may set to values of any type.</summary>
public static class HeaderText
{
    /// <summary>A header's text. MassTransit's own reading throws where the value is no text; thrown while a message is moved to
    /// the error queue, that returns the message to its queue, again and again.</summary>
    /// <param name="headers">The delivery's headers.</param>
    /// <param name="name">The header.</param>
    /// <returns>Null where the header is absent, or is a number, a table or a list.</returns>
    public static string? Of(Headers headers, string name)
    {
        ArgumentNullException.ThrowIfNull(headers);
        return headers.TryGetHeader(name, out var value) ? value as string : null;
    }
}
