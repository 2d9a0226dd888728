using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Publish;
using Sagas.Contracts;
using Sagas.Services.Alarms;

namespace Sagas.Cli.Alarms;

/// <summary><c>sagas publish alarm</c>.</summary>
internal static class PublishAlarm
{
    public static Command Create(Terminal terminal)
    {
        var user = CommandOptions.IdArgument("user", "The user's id.");
        var alarm = CommandOptions.IdArgument("alarm", "The alarm's id.");
        var status = Status();
        var at = At(terminal.Time);
        var command = new SagasCommand(
            "alarm",
            "Publish AlarmStatusChanged: a user's alarm changed. The change with the newest time wins.",
            "sagas publish alarm ada boiler CRITICAL",
            "sagas publish alarm ada boiler cleared --at 2026-06-07T20:40:15.598765212Z")
        {
            user, alarm, status, at, CommandOptions.RabbitMq(),
        };
        command.SetAction(async (parse, stop) =>
        {
            var change = new AlarmStatusChanged(
                parse.GetRequiredValue(alarm),
                parse.GetRequiredValue(user),
                parse.GetRequiredValue(status),
                parse.GetValue(at) ?? terminal.Time.GetUtcNow());
            OutgoingMessage[] messages = [new(change.AlarmId, change)];
            await Publication.RunAsync(parse, terminal, nameof(AlarmStatusChanged), [AlarmsModule.ChangesQueue], messages, stop);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Argument<string> Status() => new("status")
    {
        Description = $"One of {string.Join(", ", AlarmStatus.All)}, in any case.",
        CustomParser = result =>
        {
            var said = result.Tokens[0].Value;
            var meant = AlarmStatus.All.FirstOrDefault(status => status.Equals(said, StringComparison.OrdinalIgnoreCase));
            if (meant is null)
                result.AddError($"<status> must be one of {string.Join(", ", AlarmStatus.All)}; it is '{said}'.");
            return meant ?? "";
        },
    };

    private static Option<Instant?> At(TimeProvider clock) => new("--at")
    {
        Description = "When it changed, ISO 8601 to the nanosecond, UTC unless it says otherwise. Default: now.",
        HelpName = "time",
        CustomParser = result =>
        {
            if (!Instant.TryParse(result.Tokens[0].Value, null, out var time))
                result.AddError("--at must be a time such as 2026-06-07T20:40:15.598765212Z.");
            else if (time < DateTimeOffset.UnixEpoch || time > clock.GetUtcNow())
                result.AddError("--at must be a time between 1970 and now.");
            return time;
        },
    };
}
