using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Publish;
using Sagas.Contracts;
using Sagas.Services.Alarms;

namespace Sagas.Cli.Alarms;

/// <summary><c>sagas alarms publish</c>.</summary>
internal static class PublishAlarm
{
    public static Command Create(Terminal terminal)
    {
        var user = CommandOptions.IdArgument("user", "The user's id.");
        var alarm = CommandOptions.IdArgument("alarm", "The alarm's id.");
        var status = Status();
        var at = At(terminal.TimeProvider);
        var command = new SagasCommand(
            "publish",
            "Publish AlarmStatusChanged: a user's alarm changed. The change with the newest time wins.",
            "sagas alarms publish ada boiler CRITICAL",
            "sagas alarms publish ada boiler cleared --at 2026-06-07T20:40:15.598765212Z"
        )
        {
            user,
            alarm,
            status,
            at,
            CommandOptions.RabbitMq(),
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var change = new AlarmStatusChanged(
                    parse.GetRequiredValue(alarm),
                    parse.GetRequiredValue(user),
                    parse.GetRequiredValue(status),
                    parse.GetValue(at) ?? terminal.TimeProvider.GetUtcNow()
                );
                OutgoingMessage<AlarmStatusChanged>[] messages = [new(change.AlarmId, change)];
                return await Publication.RunAsync(parse, terminal, AlarmsModule.ChangesQueue, messages, cancellationToken);
            }
        );
        return command;
    }

    private static Argument<string> Status() =>
        new("status")
        {
            Description = $"One of {string.Join(", ", AlarmStatus.All)}, in any case.",
            CustomParser = result =>
            {
                var given = result.Tokens[0].Value;
                var match = AlarmStatus.All.FirstOrDefault(status => status.Equals(given, StringComparison.OrdinalIgnoreCase));
                if (match is null)
                    result.AddError($"<status> must be one of {string.Join(", ", AlarmStatus.All)}; '{given}' is not.");
                return match ?? "";
            },
        };

    private static Option<Instant?> At(TimeProvider timeProvider) =>
        new("--at")
        {
            Description = "When it changed, ISO 8601 to the nanosecond, UTC without an offset. Default: now.",
            HelpName = "time",
            CustomParser = result =>
            {
                if (!Instant.TryParse(result.Tokens[0].Value, null, out var time))
                    result.AddError("--at must be a time such as 2026-06-07T20:40:15.598765212Z.");
                else if (time < DateTimeOffset.UnixEpoch || time > timeProvider.GetUtcNow())
                    result.AddError("--at must be a time between 1970 and now.");
                return time;
            },
        };
}
