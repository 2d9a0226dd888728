using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Files;

/// <summary>Commands about files of customers and alerts.</summary>
internal sealed class FilesCommands : FeatureCommands
{
    public override string Title => "Files of customers and alerts";

    public override IEnumerable<Command> Create(Terminal terminal) =>
        [
            new SagasCommand("files", "List, ingest and resume CSV files of customers and alerts.")
            {
                ListFiles.Create(terminal),
                IngestFiles.Create(terminal),
                ResumeFiles.Create(terminal),
            },
        ];
}
