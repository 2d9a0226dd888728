using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.OutboundCalls;
using Sagas.Services.Crm;

namespace Sagas.Cli.Calls;

/// <summary><c>sagas calls retry</c>.</summary>
internal static class RetryCall
{
    public static Command Create(Terminal terminal)
    {
        var key = new Argument<string?>("key")
        {
            Description = "The call's key, or its payment's id, as `sagas calls list` shows them.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var all = new Option<bool>("--all") { Description = "Every parked call; ends the pauses of all third parties." };
        var command = new SagasCommand(
            "retry",
            "Make a parked call to a third party again, and end the pause that the third party asked for. A call is parked when "
                + "it was given up or its outcome is unknown: check at the third party first whether it succeeded.",
            "sagas calls list --state parked",
            "sagas calls retry invoice-8",
            "sagas calls retry --all"
        )
        {
            key,
            all,
            CommandOptions.Postgres(),
        };
        ExclusiveOptions.RequireOneOf(command, key, all);
        command.SetAction((parse, cancellationToken) => RetryAsync(parse, terminal, parse.GetValue(key), cancellationToken));
        return command;
    }

    private static async Task<int> RetryAsync(
        ParseResult parse,
        Terminal terminal,
        string? key,
        CancellationToken cancellationToken
    )
    {
        await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), cancellationToken);
        var keys = key is null ? null : new[] { key, SagaIdentity.Payment(key).ToString("D") };
        var retried = await ParkedCalls.RetryAsync(
            database.Source,
            new() { ExceptTarget = CrmTarget.TargetName, Keys = keys },
            cancellationToken
        );
        if (keys is not null && retried is { Calls.Count: 0, ResumedTargets.Count: 0 })
            throw await NotParkedAsync(database, keys, cancellationToken);

        if (parse.GetValue<bool>(CommandOptions.JsonName))
            terminal.WriteJson(
                new
                {
                    released = retried.Calls.Select(call => new { call.Target, key = call.IdempotencyKey }),
                    resumed = retried.ResumedTargets,
                }
            );
        else
            Report(terminal, retried);
        return ExitCode.Ok;
    }

    private static void Report(Terminal terminal, RetriedCalls retried)
    {
        foreach (var target in retried.ResumedTargets)
            terminal.Output.WriteLine($"{target} had asked for a pause, which has ended; the calls that waited for it are made.");
        var released = retried.Calls;
        if (released.Count == 0 && retried.ResumedTargets.Count > 0)
            return;
        terminal.Output.WriteLine(
            released.Count switch
            {
                0 => "No call is parked, except perhaps calls to the CRM: see `sagas customers list --summary`.",
                1 => $"The call {released[0].IdempotencyKey} to {released[0].Target} will be made again.",
                var count => string.Create(CultureInfo.InvariantCulture, $"{count:N0} calls will be made again."),
            }
        );
    }

    private static async Task<CommandException> NotParkedAsync(
        SagasDatabase database,
        string[] keys,
        CancellationToken cancellationToken
    )
    {
        foreach (var key in keys)
        {
            if (await CallRow.FindAsync(database, null, key, cancellationToken) is [{ Target: "crm" }, ..])
                return new CommandException(
                    ExitCode.Failed,
                    "Calls to the CRM are retried by customer: `sagas customers retry --id <customer>`."
                );
            if (await CallRow.FindAsync(database, null, key, cancellationToken) is [var call, ..])
                return new CommandException(
                    ExitCode.Failed,
                    $"The call {call.Key} to {call.Target} is {call.State}, not parked; only a parked call can be retried."
                );
        }

        return new CommandException(
            ExitCode.NotFound,
            $"No call has the key {keys[0]}, and no payment of that id has a call. See `sagas calls list`."
        );
    }
}
