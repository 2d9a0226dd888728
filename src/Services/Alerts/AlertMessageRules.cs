using Sagas.Contracts;
using Sagas.Services.Messages;

namespace Sagas.Services.Alerts;

/// <summary>The rules for messages about alerts.</summary>
internal static class AlertMessageRules
{
    private const int MaxAlertLength = 4096;

    public static IReadOnlyList<MessageRule> All { get; } = [MessageRule.For<SendAlert>(Check)];

    private static void Check(SendAlert message, MessageCheck check)
    {
        check.Identifier(message, message.AlertId);
        check.Identifier(message, message.UserId);
        check.RequiredText(message, message.Message, MaxAlertLength);
    }
}
