using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Demo;

/// <summary><c>sagas demo</c>.</summary>
internal static class DemoCommand
{
    public static Command Create(Terminal terminal)
    {
        var once = new Option<bool>("--once") { Description = "Stop after the scenario, instead of at Ctrl-C." };
        var inMemory = new Option<bool>("--in-memory") { Description = "Without RabbitMQ, even if it is installed." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Install missing servers without asking." };
        var command = new SagasCommand(
            "demo",
            "Run everything in one process with private servers, and watch a payment that arrives before its customer. "
                + "Offers to install PostgreSQL and RabbitMQ if they are missing; they need not run.",
            "sagas demo",
            "sagas demo --yes --once --json | jq .completedAfterMs",
            "sagas demo --in-memory  # with PostgreSQL only"
        )
        {
            once,
            inMemory,
            yes,
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var json = parse.GetValue<bool>(CommandOptions.JsonName);
                await ServerInstallation.EnsureAsync(terminal, !parse.GetValue(inMemory), parse.GetValue(yes), cancellationToken);
                var reporter = new ConsoleReporter(terminal, json);
                try
                {
                    await using var system = await DemoSystem.StartAsync(reporter, parse.GetValue(inMemory), cancellationToken);
                    var report = await new Scenario(system, reporter, terminal).RunAsync(cancellationToken);
                    if (json)
                        terminal.WriteJson(report);
                    if (!parse.GetValue(once))
                        await StayAsync(system, reporter, cancellationToken);
                    reporter.Say("Stopping.");
                }
                catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
                {
                    // Ctrl-C is how the demo ends; its servers are stopped by now.
                }

                reporter.Say("Everything is stopped, and its data is removed.");
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static async Task StayAsync(DemoSystem system, ConsoleReporter reporter, CancellationToken cancellationToken)
    {
        reporter.Paragraph("The demo runs until Ctrl-C. In another terminal:");
        foreach (var (name, value) in system.Variables())
            reporter.Say($"  export {name}='{value}'");
        foreach (var (what, command) in system.Commands())
            reporter.Code(what, command);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            reporter.Paragraph("");
        }
    }
}
