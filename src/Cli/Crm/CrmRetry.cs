using System.CommandLine;
using System.Globalization;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Contracts;

namespace Sagas.Cli.Crm;

/// <summary><c>sagas crm retry</c>.</summary>
internal static class CrmRetry
{
    public static Command Create(Terminal terminal)
    {
        var id = CommandOptions.IdOption("--id", "The customer.");
        var all = new Option<bool>("--all") { Description = "Every customer of whom the CRM could not be told." };
        var registered = new Option<bool>("--registered") { Description = "Every customer from before there was a CRM." };
        var command = new SagasCommand(
            "retry",
            "Publish RetryCustomerSync: the CRM is told again of customers whose data it refused or of whom telling it was given up. In "
            + "mode AtMostOnce a call may have been given up that was made: find that out first.",
            "sagas list customers --state SyncFailed",
            "sagas crm retry --id 4711",
            "sagas crm retry --all")
        {
            id, all, registered, CommandOptions.Postgres(), CommandOptions.RabbitMq(),
        };
        command.Validators.Add(result =>
        {
            var named = result.GetResult(id) is not null;
            if (new[] { named, result.GetValue(all), result.GetValue(registered) }.Count(said => said) != 1)
                result.AddError("Say one of --id <id>, --all and --registered.");
        });
        command.SetAction(async (parse, stop) =>
        {
            var ids = await IdsAsync(parse.GetValue(id), parse.GetValue(registered) ? "Registered" : "SyncFailed", Connections.Postgres(parse, terminal), stop);
            var messages = ids.Select(customerId => new OutgoingMessage(customerId, new RetryCustomerSync(customerId, Environment.UserName))).ToList();
            if (messages.Count > 0)
            {
                await using var broker = await BrokerConnection.ConnectAsync(Connections.RabbitMq(parse, terminal), stop);
                await new Publisher(broker, terminal).PublishAsync(nameof(RetryCustomerSync), ["customer-saga"], messages, stop);
            }

            if (parse.GetValue<bool>(CommandOptions.JsonName))
                terminal.WriteJson(new { retried = ids });
            else
                Tell(terminal, ids);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<IReadOnlyList<string>> IdsAsync(string? id, string state, string postgres, CancellationToken stop)
    {
        await using var database = await SagasDatabase.OpenAsync(postgres, stop);
        if (id is null)
            return await CrmRow.IdsAsync(database, state, stop);
        return await CustomerRow.FindAsync(database, id, stop) switch
        {
            [] => throw new CommandException(ExitCode.NotFound, $"No customer {id} is known. `sagas list customers --state SyncFailed` shows who can be retried."),
            [{ State: "SyncFailed" or "Registered" }] => [id],
            [var customer, ..] => throw new CommandException(ExitCode.Failed, $"Customer {id} is {customer.State}; only one that is SyncFailed or Registered is retried."),
        };
    }

    private static void Tell(Terminal terminal, IReadOnlyList<string> ids) => terminal.Output.WriteLine(ids.Count switch
    {
        0 => "There is nobody to retry.",
        1 => $"The CRM is told of {ids[0]} again.",
        var count => string.Create(CultureInfo.InvariantCulture, $"The CRM is told of {count:N0} customers again."),
    });
}
