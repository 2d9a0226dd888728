using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.LocalServers;

namespace Sagas.Cli.Demo;

/// <summary><c>sagas demo</c>.</summary>
internal static class DemoCommand
{
    public static Command Create(Terminal terminal)
    {
        var once = new Option<bool>("--once") { Description = "Stop when the scenario is over, instead of at Ctrl-C." };
        var inMemory = new Option<bool>("--in-memory") { Description = "Without RabbitMQ even where it is installed." };
        var command = new SagasCommand(
            "demo",
            "Run everything in one process on servers of its own, and watch a payment that arrives before its customer. "
            + "Needs PostgreSQL installed, not running; RabbitMQ where it is installed.",
            "sagas demo",
            "sagas demo --once --json | jq .completedAfterMs")
        {
            once, inMemory,
        };
        command.SetAction(async (parse, stop) =>
        {
            var json = parse.GetValue<bool>(CommandOptions.JsonName);
            if (!PrivatePostgres.IsInstalled)
                throw new CommandException(
                    ExitCode.Failed,
                    "The demo starts a PostgreSQL of its own, and finds none installed: `apt-get install postgresql` (it need not run), "
                    + "or use containers: `docker-compose up -d`.");

            var narrator = new Narrator(terminal, json);
            try
            {
                await using var system = await DemoSystem.StartAsync(narrator, parse.GetValue(inMemory), stop);
                var report = await new Scenario(system, narrator, terminal).RunAsync(stop);
                if (json)
                    terminal.WriteJson(report);
                if (!parse.GetValue(once))
                    await StayAsync(system, narrator, stop);
                narrator.Say("Stopping.");
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // Ctrl-C is how the demo ends; what was started is stopped by now.
            }

            narrator.Say("Everything is stopped, and its data removed.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task StayAsync(DemoSystem system, Narrator narrator, CancellationToken stop)
    {
        narrator.Paragraph("It keeps running until Ctrl-C. In another terminal:");
        foreach (var (what, command) in system.Commands())
            narrator.Code(what, command);
        try
        {
            await Task.Delay(Timeout.Infinite, stop);
        }
        catch (OperationCanceledException)
        {
            narrator.Paragraph("");
        }
    }
}
