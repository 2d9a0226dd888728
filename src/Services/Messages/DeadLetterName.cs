using System.Security.Cryptography;

namespace Sagas.Services.Messages;

/// <summary>The name of a dead letter in the log and on the command line, and of its queue.</summary>
public static class DeadLetterName
{
    /// <summary>MassTransit's suffix of a queue for messages that failed.</summary>
    public const string ErrorSuffix = "_error";

    /// <summary>MassTransit's suffix of a queue for messages without a consumer.</summary>
    public const string SkippedSuffix = "_skipped";

    private const int Digits = 12;

    /// <summary>The message's id, or, for one without, a name made from its content.</summary>
    /// <param name="messageId">The id; null or empty: it has none.</param>
    /// <param name="body">The message's body.</param>
    public static string Of(string? messageId, ReadOnlySpan<byte> body) =>
        messageId is { Length: > 0 } ? messageId : "body-" + Convert.ToHexStringLower(SHA256.HashData(body))[..Digits];
}
