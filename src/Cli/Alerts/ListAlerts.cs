using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Tables;
using Sagas.Services.Alerts;

namespace Sagas.Cli.Alerts;

/// <summary><c>sagas alerts list</c>.</summary>
internal static class ListAlerts
{
    public static Command Create(Terminal terminal)
    {
        var state = CommandOptions.WordOption(
            "--state",
            "Only alerts in this state; by default those that are not delivered",
            AlertRow.States
        );
        var file = CommandOptions.TextOption("--file", "Only alerts of the file of this name or id.");
        var command = new SagasCommand(
            "list",
            "List alerts that are not delivered, the newest first, with their last answer and next attempt.",
            "sagas alerts list",
            "sagas alerts list --state parked",
            "sagas alerts list --state delivered --file alerts.csv --json"
        )
        {
            state,
            file,
            CommandOptions.Postgres(),
        };
        ListOptions.AddTo(command);
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                await using var database = await SagasDatabase.OpenAsync(
                    Connections.Postgres(parse, terminal),
                    cancellationToken
                );
                var (wanted, name) = (parse.GetValue(state), parse.GetValue(file));
                var none = wanted is null ? "Every alert is delivered." : $"No alerts are {wanted}.";
                var result = await Table(terminal, none)
                    .RunAsync(
                        parse,
                        (limit, token) => AlertRow.NewestAsync(database, wanted, name, limit, token),
                        cancellationToken
                    );
                if (await EndpointRow.FindAsync(database, AlertReceiver.TargetName, cancellationToken) is { } endpoint)
                    await terminal.Error.WriteLineAsync(Format.Clean(Describe(endpoint)));
                return result;
            }
        );
        return command;
    }

    private static string Describe(EndpointRow endpoint) =>
        endpoint.DisabledReason is { } answer
            ? $"The endpoint is disabled ({answer}). `sagas alerts retry --all` enables it."
            : $"The endpoint asked for a pause until {Format.Moment(endpoint.PausedUntil)} ({endpoint.PausedReason}).";

    private static Listing<AlertRow> Table(Terminal terminal, string none)
    {
        Column<AlertRow>[] columns =
        [
            new("Alert", alert => alert.AlertId),
            new("User", alert => alert.UserId),
            new("State", alert => alert.State, Colour: alert => Format.Colour(alert.State), Break: false),
            new("Attempts", alert => alert.Attempts.ToString(CultureInfo.InvariantCulture), Right: true),
            new("Next", alert => Format.FromNow(alert.NextTryAt, terminal.TimeProvider.GetUtcNow()), Break: false),
            new("Last answer", alert => alert.LastAnswer),
            new("File", alert => alert.File is { } file ? $"{file}:{alert.Line}" : "", FromWidth: 120),
            new("Text", alert => alert.AlertMessage, FromWidth: 140),
        ];
        return new Listing<AlertRow>(terminal, columns, none);
    }
}
