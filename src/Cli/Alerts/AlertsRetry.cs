using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Services.Alerts;

namespace Sagas.Cli.Alerts;

/// <summary><c>sagas alerts retry</c>.</summary>
internal static class AlertsRetry
{
    public static Command Create(Terminal terminal)
    {
        var file = CommandOptions.TextOption("--file", "The parked alerts of the file of this name or id.");
        var id = CommandOptions.IdOption("--id", "One parked alert.");
        var all = new Option<bool>("--all") { Description = "Every parked alert." };
        var command = new SagasCommand(
            "retry",
            "Put parked alerts back, each once and with all its attempts before it; an endpoint that was disabled is enabled.",
            "sagas alerts retry --all",
            "sagas alerts retry --file alerts.csv",
            "sagas alerts retry --id order-7")
        {
            file, id, all, CommandOptions.Postgres(),
        };
        command.Validators.Add(result =>
        {
            if (new[] { result.GetResult(file) is not null, result.GetResult(id) is not null, result.GetValue(all) }.Count(said => said) != 1)
                result.AddError("Say one of --file <name>, --id <alert> and --all.");
        });
        command.SetAction(async (parse, stop) =>
        {
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var result = new AlertRetryResult(0, false);
            foreach (var one in await FilesAsync(database, parse.GetValue(file), stop))
            {
                var done = await AlertRetry.RunAsync(database.Source, one, parse.GetValue(id), stop)
                    ?? throw new CommandException(ExitCode.NotFound, $"There is no alert {parse.GetValue(id)}. `sagas list calls --state parked` shows what is parked.");
                result = new(result.Alerts + done.Alerts, result.EndpointEnabled || done.EndpointEnabled);
            }

            if (parse.GetValue<bool>(CommandOptions.JsonName))
                terminal.WriteJson(result);
            else
                Tell(terminal, result);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<IReadOnlyList<Guid?>> FilesAsync(SagasDatabase database, string? file, CancellationToken stop)
    {
        if (file is null)
            return [null];
        var files = await AlertFileRow.NewestAsync(database, file, int.MaxValue, stop);
        return files.Count == 0
            ? throw new CommandException(ExitCode.NotFound, $"No file of alerts is called {file}. `sagas alerts` shows those that are known.")
            : [.. files.Select(row => (Guid?)row.FileId)];
    }

    private static void Tell(Terminal terminal, AlertRetryResult result)
    {
        terminal.Output.WriteLine(result.Alerts switch
        {
            0 => "Nothing is parked.",
            1 => "1 alert is tried again.",
            var count => string.Create(CultureInfo.InvariantCulture, $"{count:N0} alerts are tried again."),
        });
        if (result.EndpointEnabled)
            terminal.Output.WriteLine("The endpoint is enabled again.");
    }
}
