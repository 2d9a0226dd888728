using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;

namespace Sagas.Cli.Tables;

/// <summary>Commands that list rows of the database.</summary>
internal static class ListCommand
{
    /// <summary>Reads at most this many rows.</summary>
    public delegate Task<IReadOnlyList<T>> Reader<T>(
        SagasDatabase database,
        ParseResult parse,
        int limit,
        CancellationToken cancellationToken
    );

    /// <summary>Makes a command list rows, with the options that every list has.</summary>
    /// <param name="command">The command.</param>
    /// <param name="terminal">Takes the rows.</param>
    /// <param name="table">The table of the rows.</param>
    /// <param name="read">Reads the rows.</param>
    public static SagasCommand Lists<T>(
        this SagasCommand command,
        Terminal terminal,
        Func<ParseResult, Listing<T>> table,
        Reader<T> read
    )
    {
        command.Add(CommandOptions.Postgres());
        ListOptions.AddTo(command);
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                await using var database = await SagasDatabase.OpenAsync(
                    Connections.Postgres(parse, terminal),
                    cancellationToken
                );
                return await table(parse)
                    .RunAsync(parse, (limit, token) => read(database, parse, limit, token), cancellationToken);
            }
        );
        return command;
    }
}
