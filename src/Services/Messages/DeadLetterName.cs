using System.Security.Cryptography;

namespace Sagas.Services.Messages;

/// <summary>The name of a dead letter in the log and on the command line.</summary>
public static class DeadLetterName
{
    private const int Digits = 12;

    /// <summary>The message's id, or, for one without, a name made from its content.</summary>
    /// <param name="messageId">The id; null or empty: it has none.</param>
    /// <param name="body">The message's body.</param>
    public static string Of(string? messageId, ReadOnlySpan<byte> body) =>
        messageId is { Length: > 0 } ? messageId : "body-" + Convert.ToHexStringLower(SHA256.HashData(body))[..Digits];
}
