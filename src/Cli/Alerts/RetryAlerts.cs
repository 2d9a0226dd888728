using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Services.Alerts;

namespace Sagas.Cli.Alerts;

/// <summary><c>sagas alerts retry</c>.</summary>
internal static class RetryAlerts
{
    public static Command Create(Terminal terminal)
    {
        var file = CommandOptions.TextOption("--file", "The parked alerts of the file of this name or id.");
        var id = CommandOptions.IdOption("--id", "One parked alert.");
        var all = new Option<bool>("--all") { Description = "Every parked alert." };
        var command = new SagasCommand(
            "retry",
            "Send parked alerts again, enable the endpoint if it was disabled, and end the pause that it asked for.",
            "sagas alerts retry --all",
            "sagas alerts retry --file alerts.csv",
            "sagas alerts retry --id order-7"
        )
        {
            file,
            id,
            all,
            CommandOptions.Postgres(),
        };
        ExclusiveOptions.RequireOneOf(command, id, file, all);
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                await using var database = await SagasDatabase.OpenAsync(
                    Connections.Postgres(parse, terminal),
                    cancellationToken
                );
                var result = new AlertRetryResult(0, false, false);
                foreach (var one in await FilesAsync(database, parse.GetValue(file), cancellationToken))
                {
                    var done =
                        await AlertRetry.RunAsync(database.Source, one, parse.GetValue(id), cancellationToken)
                        ?? throw new CommandException(
                            ExitCode.NotFound,
                            $"Alert {parse.GetValue(id)} is unknown. `sagas alerts list --state parked` lists the parked alerts."
                        );
                    result = new(
                        result.Alerts + done.Alerts,
                        result.EndpointEnabled || done.EndpointEnabled,
                        result.PauseEnded || done.PauseEnded
                    );
                }

                if (parse.GetValue<bool>(CommandOptions.JsonName))
                    terminal.WriteJson(result);
                else
                    Report(terminal, result);
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static async Task<IReadOnlyList<Guid?>> FilesAsync(
        SagasDatabase database,
        string? file,
        CancellationToken cancellationToken
    )
    {
        if (file is null)
            return [null];
        var files = await FileRow.NewestAsync(database, "alerts", file, int.MaxValue, cancellationToken);
        return files.Count == 0
            ? throw new CommandException(
                ExitCode.NotFound,
                $"No file of alerts has the name or id {file}. `sagas files list --kind alerts` lists the files."
            )
            : [.. files.Select(row => (Guid?)row.FileId)];
    }

    private static void Report(Terminal terminal, AlertRetryResult result)
    {
        terminal.Output.WriteLine(
            result.Alerts switch
            {
                0 => "No alerts are parked.",
                1 => "1 alert will be sent again.",
                var count => string.Create(CultureInfo.InvariantCulture, $"{count:N0} alerts will be sent again."),
            }
        );
        if (result.EndpointEnabled)
            terminal.Output.WriteLine("The endpoint is enabled again.");
        if (result.PauseEnded)
            terminal.Output.WriteLine("The endpoint had asked for a pause, which has ended; alerts are sent.");
    }
}
