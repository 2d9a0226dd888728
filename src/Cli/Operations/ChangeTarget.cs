using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Services.Operations.Actions;
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
            (pauses, actor, target, cancellationToken) => pauses.PauseAsync(actor, target, cancellationToken)
        );

    public static Command Resume(Terminal terminal) =>
        Create(
            terminal,
            "resume",
            "Let calls to a third party start again; ends a pause that it asked for too.",
            (pauses, actor, target, cancellationToken) => pauses.ResumeAsync(actor, target, cancellationToken)
        );

    private static SagasCommand Create(
        Terminal terminal,
        string verb,
        string description,
        Func<TargetPauses, string, string, CancellationToken, Task<OperatorResult>> change
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
                var pauses = new TargetPauses(database.Source, new AuditLog(database.Source));
                var result = (await change(pauses, actor, target, cancellationToken)).Result;
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
