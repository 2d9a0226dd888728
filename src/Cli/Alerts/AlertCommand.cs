using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Services.Alerts;

namespace Sagas.Cli.Alerts;

/// <summary><c>sagas alert</c>.</summary>
internal static class AlertCommand
{
    public static Command Create(Terminal terminal)
    {
        var files = new Argument<string[]>("file") { Description = "CSV files of userId,alertMessage, plain or gzip.", Arity = ArgumentArity.OneOrMore };
        var noWait = new Option<bool>("--no-wait") { Description = "End when every row is enqueued, without waiting for its delivery." };
        var command = new SagasCommand(
            "alert",
            "Alert the users of CSV files through the webhook, each row once. A file that was interrupted goes on where it was; one that "
            + "was sent before is not sent again. Services with the role `alerts` deliver.",
            "sagas alert alerts.csv",
            "sagas alert monday.csv tuesday.csv.gz --no-wait")
        {
            files, noWait, CommandOptions.Postgres(),
        };
        command.SetAction(async (parse, stop) =>
        {
            var paths = CommandOptions.ExistingFiles(parse, files);
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            return await new AlertRun(terminal, database, Options(), parse.GetValue<bool>(CommandOptions.JsonName))
                .RunAsync(paths, parse.GetValue(noWait), stop);
        });
        return command;
    }

    // The section Alerts of the environment, as the services read it.
    private static AlertsOptions Options() =>
        new ConfigurationBuilder().AddEnvironmentVariables().Build().GetSection(AlertsOptions.Section).Get<AlertsOptions>() ?? new AlertsOptions();
}
