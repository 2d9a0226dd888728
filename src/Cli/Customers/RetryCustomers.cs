using System.CommandLine;
using System.Globalization;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Contracts;
using Sagas.OutboundCalls;
using Sagas.Services.Crm;

namespace Sagas.Cli.Customers;

/// <summary><c>sagas customers retry</c>.</summary>
internal static class RetryCustomers
{
    public static Command Create(Terminal terminal)
    {
        var id = CommandOptions.IdOption("--id", "The customer.");
        var all = new Option<bool>("--all") { Description = "Every customer whose sync failed." };
        var registered = new Option<bool>("--registered") { Description = "Customers registered while the CRM was disabled." };
        var command = new SagasCommand(
            "retry",
            "Send customers to the CRM again that it rejected or whose calls were given up (RetryCustomerSync), and end the "
                + "pause that the CRM asked for. In mode "
                + "AtMostOnce a call that was given up may have succeeded: check at the CRM first.",
            "sagas customers list --state SyncFailed",
            "sagas customers retry --id 4711",
            "sagas customers retry --all"
        )
        {
            id,
            all,
            registered,
            CommandOptions.Postgres(),
            CommandOptions.RabbitMq(),
        };
        ExclusiveOptions.RequireOneOf(command, id, all, registered);
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var state = parse.GetValue(registered) ? "Registered" : "SyncFailed";
                await using var database = await SagasDatabase.OpenAsync(
                    Connections.Postgres(parse, terminal),
                    cancellationToken
                );
                var ids = await IdsAsync(database, parse.GetValue(id), state, cancellationToken);
                await CallTargets.ResumeAsync(database.Source, CrmTarget.TargetName, keys: null, cancellationToken);
                var messages = ids.Select(Message).ToList();
                if (messages.Count > 0)
                {
                    await using var broker = await BrokerConnection.ConnectAsync(
                        Connections.RabbitMq(parse, terminal),
                        cancellationToken
                    );
                    await new Publisher(broker, terminal).PublishAsync([CustomersCommands.Queue], messages, cancellationToken);
                }

                if (parse.GetValue<bool>(CommandOptions.JsonName))
                    terminal.WriteJson(new { retried = ids });
                else
                    Report(terminal, ids);
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static async Task<IReadOnlyList<string>> IdsAsync(
        SagasDatabase database,
        string? id,
        string state,
        CancellationToken cancellationToken
    )
    {
        if (id is null)
            return await CustomerRow.IdsAsync(database, state, cancellationToken);
        return await CustomerRow.FindAsync(database, id, cancellationToken) switch
        {
            [] => throw new CommandException(
                ExitCode.NotFound,
                $"Customer {id} is not registered. `sagas customers list --state SyncFailed` lists the customers to retry."
            ),
            [{ State: "SyncFailed" or "Registered" }] => [id],
            [var customer, ..] => throw new CommandException(
                ExitCode.Failed,
                $"Customer {id} is {customer.State}; only a SyncFailed or Registered customer can be retried."
            ),
        };
    }

    private static OutgoingMessage<RetryCustomerSync> Message(string customerId) =>
        new(customerId, new RetryCustomerSync(customerId, Environment.UserName));

    private static void Report(Terminal terminal, IReadOnlyList<string> ids) =>
        terminal.Output.WriteLine(
            ids.Count switch
            {
                0 => "No customers to retry.",
                1 => $"Customer {ids[0]} will be sent to the CRM again.",
                var count => string.Create(CultureInfo.InvariantCulture, $"{count:N0} customers will be sent to the CRM again."),
            }
        );
}
