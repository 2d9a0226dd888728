using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;

namespace Sagas.Cli.Tables;

/// <summary>Commands that show one thing of the database.</summary>
internal static class ShowCommand
{
    /// <summary>Finds a thing.</summary>
    /// <exception cref="CommandException">It is unknown.</exception>
    public delegate Task<T> Finder<T>(SagasDatabase database, string id, CancellationToken cancellationToken);

    /// <summary>Makes a command show the thing whose id it takes.</summary>
    /// <param name="command">The command.</param>
    /// <param name="terminal">Takes the page, or the JSON.</param>
    /// <param name="description">What the id is.</param>
    /// <param name="find">Finds the thing.</param>
    /// <param name="write">Writes the page.</param>
    public static SagasCommand Shows<T>(
        this SagasCommand command,
        Terminal terminal,
        string description,
        Finder<T> find,
        Action<Terminal, T> write
    )
        where T : class
    {
        var id = CommandOptions.IdArgument("id", description);
        command.Add(id);
        command.Add(CommandOptions.Postgres());
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                await using var database = await SagasDatabase.OpenAsync(
                    Connections.Postgres(parse, terminal),
                    cancellationToken
                );
                var found = await find(database, parse.GetRequiredValue(id), cancellationToken);
                if (parse.GetValue<bool>(CommandOptions.JsonName))
                    terminal.WriteJson(found);
                else
                    write(terminal, found);
                return ExitCode.Ok;
            }
        );
        return command;
    }
}
