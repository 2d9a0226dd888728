using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.FileIntake.Storage;

namespace Sagas.Cli.Files;

/// <summary>Reads the files of one command line.</summary>
internal sealed class FilesRun(ParseResult parse, Terminal terminal, IngestCommandOptions options, SagasDatabase database)
    : IAsyncDisposable
{
    private readonly FileStore _store = new(database.Source);

    /// <summary>Connects to the database.</summary>
    /// <exception cref="CommandException">An option is not valid, or the database is unavailable.</exception>
    public static async Task<FilesRun> OpenAsync(
        ParseResult parse,
        Terminal terminal,
        IngestCommandOptions options,
        CancellationToken cancellationToken
    )
    {
        _ = options.OfCustomers(parse);
        return new FilesRun(
            parse,
            terminal,
            options,
            await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), cancellationToken)
        );
    }

    /// <summary>Whether the content of a file came in before.</summary>
    public async Task<bool> IsKnownAsync(string kind, string path, CancellationToken cancellationToken) =>
        await _store.FindAsync(FileStore.IdOf(kind, await ContentHash.ComputeAsync(path, cancellationToken)), cancellationToken)
            is not null;

    /// <summary>Reads files of one kind and reports them.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string kind, IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        var json = parse.GetValue<bool>(CommandOptions.JsonName);
        var follow = parse.GetValue(options.Follow);
        return kind == "alerts"
            ? await new AlertRun(terminal, database, options.OfAlerts(parse), json).RunAsync(paths, follow, cancellationToken)
            : await new CustomerRun(
                terminal,
                database,
                options.OfCustomers(parse),
                IngestCommandOptions.IsCrmEnabled(terminal),
                json
            ).RunAsync(paths, follow, cancellationToken);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();
}
