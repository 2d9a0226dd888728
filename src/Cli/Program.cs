using System.CommandLine;
using Sagas.Cli.Alarms;
using Sagas.Cli.Alerts;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Crm;
using Sagas.Cli.Demo;
using Sagas.Cli.Generate;
using Sagas.Cli.Ingest;
using Sagas.Cli.List;
using Sagas.Cli.Migrate;
using Sagas.Cli.Objects;
using Sagas.Cli.Publish;
using Sagas.Cli.Retry;
using Sagas.Cli.Show;

namespace Sagas.Cli;

/// <summary>The <c>sagas</c> command line.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => CommandRun.RunAsync(Commands, args, Terminal.OfProcess(), CancellationToken.None);

    /// <summary>Every command, as it is typed.</summary>
    /// <param name="terminal">Where the commands write to.</param>
    public static Command Commands(Terminal terminal) => new SagasCommand(
        "sagas",
        "Publishes customers and payments, and shows what waits, what is done and what failed.",
        "sagas demo                          # everything in one process, step by step",
        "sagas p 4711                        # a payment of customer 4711: it waits for the customer",
        "sagas c 4711 --name \"Ada Lovelace\"  # the customer: the payment goes on",
        "sagas list payments --watch         # how they get on")
    {
        new SagasCommand("publish", "Publish a message to the services, as other systems do.")
        {
            PublishCustomer.Create("customer", terminal),
            PublishPayment.Create("payment", terminal),
            PublishAlarm.Create(terminal),
            PublishDigest.Create(terminal),
            PublishObjects.Create(terminal),
            PublishAlert.Create(terminal),
        },
        PublishCustomer.Create("c", terminal),
        PublishPayment.Create("p", terminal),
        new SagasCommand("list", "List what is there, what waits and what failed.")
        {
            ListPayments.Create(terminal),
            ListCustomers.Create(terminal),
            ListDeadLetters.Create(terminal),
            ListOutbox.Create(terminal),
            ListCalls.Create(terminal),
        },
        new SagasCommand("show", "Show all about one payment or customer, with its history.")
        {
            ShowPayment.Create(terminal),
            ShowCustomer.Create(terminal),
        },
        new SagasCommand("retry", "Give what failed another try.")
        {
            RetryDeadLetter.Create(terminal),
            RetryCall.Create(terminal),
        },
        new SagasCommand("revive", "Give what expired another waiting period.")
        {
            RevivePaymentCommand.Create(terminal),
        },
        IngestCommand.Create(terminal),
        new SagasCommand("generate", "Make test data.")
        {
            GenerateCustomers.Create(terminal),
        },
        AlarmsCommand.Create(terminal),
        AlertCommand.Create(terminal),
        AlertsCommand.Create(terminal),
        DigestsCommand.Create(terminal),
        ObjectsCommand.Create(terminal),
        new SagasCommand("crm", "How the CRM gets on with the customers, and another try for those it could not be told of.")
        {
            CrmStatus.Create(terminal),
            CrmRetry.Create(terminal),
        },
        MigrateCommand.Create(terminal),
        DemoCommand.Create(terminal),
        CommandOptions.Json(),
        CommandOptions.Help(terminal),
        CommandOptions.Version(),
    };
}
