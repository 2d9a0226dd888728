using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.OutboundCalls;
using Sagas.Services.Crm;

namespace Sagas.Cli.Retry;

/// <summary><c>sagas retry call</c>.</summary>
internal static class RetryCall
{
    public static Command Create(Terminal terminal)
    {
        var key = new Argument<string?>("key")
        {
            Description = "The call's key, or the id of its payment, as `sagas list calls` shows them.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var all = new Option<bool>("--all") { Description = "Every parked call." };
        var command = new SagasCommand(
            "call",
            "Let a parked call to a third party be made again. A call is parked where nobody but a person can know whether it had "
            + "its effect: find that out first.",
            "sagas list calls --state parked",
            "sagas retry call invoice-8",
            "sagas retry call --all")
        {
            key, all, CommandOptions.Postgres(),
        };
        RetryTarget.Require(command, key, all);
        command.SetAction(async (parse, stop) =>
        {
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var keys = parse.GetValue(key) is { } named ? new[] { named, SagaIdentity.Payment(named).ToString("D") } : null;
            var released = await ParkedCalls.RetryAsync(database.Source, new() { ExceptTarget = CrmTarget.TargetName, Keys = keys }, stop);
            if (keys is not null && released.Count == 0)
                throw await NotParkedAsync(database, keys, stop);

            if (parse.GetValue<bool>(CommandOptions.JsonName))
                terminal.WriteJson(new { released = released.Select(call => new { call.Target, key = call.IdempotencyKey }) });
            else
                Tell(terminal, released);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Tell(Terminal terminal, IReadOnlyList<CallKey> released)
    {
        terminal.Output.WriteLine(released.Count switch
        {
            0 => "No call is parked, other than to the CRM: `sagas crm status` shows those.",
            1 => $"The call {released[0].IdempotencyKey} to {released[0].Target} is made again.",
            var count => string.Create(CultureInfo.InvariantCulture, $"{count:N0} calls are made again."),
        });
    }

    private static async Task<CommandException> NotParkedAsync(SagasDatabase database, string[] keys, CancellationToken stop)
    {
        foreach (var key in keys)
        {
            if (await CallRow.FindAsync(database, null, key, stop) is [{ Target: "crm" }, ..])
                return new CommandException(ExitCode.Failed, "Calls to the CRM are made again by customer: `sagas crm retry --id <customer>`.");
            if (await CallRow.FindAsync(database, null, key, stop) is [var call, ..])
                return new CommandException(
                    ExitCode.Failed,
                    $"The call {call.Key} to {call.Target} is {call.State}, not parked: only a parked call waits for a person.");
        }

        return new CommandException(ExitCode.NotFound, $"No call has the key {keys[0]}, nor has a payment of that id one. See `sagas list calls`.");
    }
}
