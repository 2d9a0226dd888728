using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.OutboundCalls;
using Sagas.Services.Operations.Audit;

namespace Sagas.Cli.Operations;

/// <summary><c>sagas targets pause</c> and <c>resume</c>.</summary>
internal static class ChangeTarget
{
    public static Command Pause(Terminal terminal) =>
        Create(
            terminal,
            "pause",
            "Stop calls to a third party in all processes, until it is resumed. Calls in flight complete.",
            async (database, target, actor, cancellationToken) =>
                await CallTargets.HoldAsync(database.Source, target, actor, cancellationToken) ? "paused" : "was paused"
        );

    public static Command Resume(Terminal terminal) =>
        Create(
            terminal,
            "resume",
            "Let calls to a third party start again; ends a pause that it asked for too.",
            async (database, target, _, cancellationToken) =>
            {
                var held = await CallTargets.UnholdAsync(database.Source, target, cancellationToken);
                var paused = await CallTargets.ResumeAsync(database.Source, target, keys: null, cancellationToken);
                return held || paused.Count > 0 ? "resumed" : "was not paused";
            }
        );

    private static SagasCommand Create(
        Terminal terminal,
        string verb,
        string description,
        Func<SagasDatabase, string, string, CancellationToken, Task<string>> change
    )
    {
        var name = new Argument<string>("target") { Description = "The third party, as `sagas targets list` shows it." };
        var command = new SagasCommand(verb, description, $"sagas targets {verb} crm") { name, CommandOptions.Postgres() };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                await using var database = await SagasDatabase.OpenAsync(
                    Connections.Postgres(parse, terminal),
                    cancellationToken
                );
                var (target, actor) = (parse.GetRequiredValue(name), $"{Environment.UserName} (command line)");
                await ThrowIfUnknownAsync(database, target, cancellationToken);
                var result = await change(database, target, actor, cancellationToken);
                await new AuditLog(database.Source).WriteAsync(
                    actor,
                    $"target.{verb}",
                    $"target/{target}",
                    result,
                    cancellationToken
                );
                if (parse.GetValue<bool>(CommandOptions.JsonName))
                    terminal.WriteJson(new { target, result });
                else
                    await terminal.Output.WriteLineAsync($"{target} {result}.");
                return ExitCode.Ok;
            }
        );
        return command;
    }

    // A misspelled name would look as if it were paused.
    private static async Task ThrowIfUnknownAsync(SagasDatabase database, string target, CancellationToken cancellationToken)
    {
        var known = await database.QueryAsync(
            """
            SELECT 1 WHERE EXISTS (SELECT FROM outbound_call WHERE target = $1)
                        OR EXISTS (SELECT FROM rate_limit WHERE target = $1)
            """,
            _ => true,
            cancellationToken,
            new Npgsql.NpgsqlParameter { Value = target }
        );
        if (known.Count == 0)
            throw new CommandException(
                ExitCode.NotFound,
                $"No call to {target} was ever made. `sagas targets list` lists the third parties."
            );
    }
}
