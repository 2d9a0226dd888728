using Sagas.Contracts;
using Sagas.Services.Messages;

namespace Sagas.Services.Alarms;

/// <summary>The rules for messages about alarms.</summary>
internal static class AlarmMessageRules
{
    public static IReadOnlyList<MessageRule> All { get; } =
    [
        MessageRule.For<AlarmStatusChanged>(Check),
        MessageRule.For<SendAlarmDigest>((message, check) => check.Identifier(message, message.UserId)),
    ];

    private static void Check(AlarmStatusChanged message, MessageCheck check)
    {
        check.Identifier(message, message.AlarmId);
        check.Identifier(message, message.UserId);
        if (!AlarmStatus.All.Contains(message.Status?.Trim(), StringComparer.OrdinalIgnoreCase))
            throw check.Invalid(message, nameof(message.Status), $"must be one of {string.Join(", ", AlarmStatus.All)}");
        check.Time(message, message.ChangedAt.ToDateTimeOffset(), nameof(message.ChangedAt));
    }
}
