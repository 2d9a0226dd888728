using Sagas.Contracts;
using Sagas.Services.Messages;

namespace Sagas.Services.Alerts;

/// <summary>The rules for messages about alerts.</summary>
internal static class AlertMessageRules
{
    /// <summary>The longest text for a user, in UTF-16 characters.</summary>
    public const int MaxLength = 4096;

    public static IReadOnlyList<MessageRule> All { get; } = [MessageRule.For<SendAlert>(Check)];

    private static void Check(SendAlert message, MessageCheck check)
    {
        check.Identifier(message, message.AlertId);
        check.Identifier(message, message.UserId);
        if (Problem(message.Message) is { } problem)
            throw check.Invalid(message, nameof(message.Message), problem);
    }

    /// <summary>What is wrong with the text for a user, as the end of a sentence that begins with its name; null: nothing.
    /// </summary>
    public static string? Problem(string? text) =>
        string.IsNullOrWhiteSpace(text) ? "must not be empty" : TextRules.BlockProblem(text, MaxLength);
}
