using System.CommandLine;
using Sagas.Cli.Alarms;
using Sagas.Cli.Alerts;
using Sagas.Cli.Calls;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Customers;
using Sagas.Cli.Files;
using Sagas.Cli.Messages;
using Sagas.Cli.Objects;
using Sagas.Cli.Operations;
using Sagas.Cli.Payments;

namespace Sagas.Cli;

/// <summary>The <c>sagas</c> command line.</summary>
internal static class Program
{
    /// <summary>Every feature's commands, in the order in which help shows them. A new feature is a line here.</summary>
    public static IReadOnlyList<FeatureCommands> Features { get; } =
    [
        new PaymentsCommands(),
        new CustomersCommands(),
        new FilesCommands(),
        new AlertsCommands(),
        new AlarmsCommands(),
        new ObjectStatusCommands(),
        new CallsCommands(),
        new MessagesCommands(),
        new OperationsCommands(),
        new SetupCommands(),
    ];

    public static Task<int> Main(string[] args) =>
        CommandRun.RunAsync(Commands, args, Terminal.OfProcess(), CancellationToken.None);

    /// <summary>All commands.</summary>
    /// <param name="terminal">Where the commands write to.</param>
    public static Command Commands(Terminal terminal)
    {
        var program = new SagasCommand(
            "sagas",
            "Publishes messages to the services, and shows and retries what waits, what is done and what failed.",
            "sagas demo                          # everything in one process, step by step",
            "sagas p 4711                        # a payment of customer 4711 waits for the customer",
            "sagas c 4711 --name \"Ada Lovelace\"  # the customer registers; the payment completes",
            "sagas payments list --watch         # the states of all payments"
        );
        foreach (var command in Features.SelectMany(feature => feature.Create(terminal)))
            program.Add(command);
        program.Add(CommandOptions.Json());
        program.Add(CommandOptions.Help(terminal, Features));
        program.Add(CommandOptions.Version());
        return program;
    }
}
