using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;

namespace Sagas.Cli.Files;

/// <summary><c>sagas files resume</c>.</summary>
internal static class ResumeFiles
{
    public static Command Create(Terminal terminal)
    {
        var options = new IngestCommandOptions();
        var command = new SagasCommand(
            "resume",
            "Continue files that were interrupted or stopped, where they stopped. A file is known by its content, whatever "
                + "its name.",
            "sagas files list                                         # the files and their states",
            "sagas files resume customers.csv",
            "sagas files resume dirty.csv --max-reject-ratio 0.5      # it was stopped because of its rejects"
        )
        {
            options.Files,
        };
        options.AddTo(command);
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var paths = CommandOptions.ExistingFiles(parse, options.Files);
                await using var run = await FilesRun.OpenAsync(parse, terminal, options, cancellationToken);
                var kinds = new HashSet<string>();
                foreach (var path in paths)
                    kinds.Add(await KindAsync(run, path, cancellationToken));
                return kinds.Count == 1
                    ? await run.RunAsync(kinds.Single(), paths, cancellationToken)
                    : throw new CommandException(
                        ExitCode.Usage,
                        "Some files are of customers and some of alerts. Resume each kind by a command of its own."
                    );
            }
        );
        return command;
    }

    private static async Task<string> KindAsync(FilesRun run, string path, CancellationToken cancellationToken)
    {
        foreach (var kind in FileRow.Kinds)
        {
            if (await run.IsKnownAsync(kind, path, cancellationToken))
                return kind;
        }

        throw new CommandException(
            ExitCode.NotFound,
            $"The content of {path} was never ingested, so there is nothing to resume. Ingest it: `sagas files ingest {path}`."
        );
    }
}
