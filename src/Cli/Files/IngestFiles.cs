using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;

namespace Sagas.Cli.Files;

/// <summary><c>sagas files ingest</c>.</summary>
internal static class IngestFiles
{
    public static Command Create(Terminal terminal)
    {
        var options = new IngestCommandOptions();
        var kind = CommandOptions.WordOption("--kind", "What the rows are; by default customers", FileRow.Kinds);
        var command = new SagasCommand(
            "ingest",
            "Ingest CSV files of customers or of alerts, plain or gzip. The same content is never ingested twice. After "
                + "Ctrl-C or a crash, `sagas files resume` continues where it stopped. Services with the role `alerts` deliver "
                + "alerts.",
            "sagas files ingest customers.csv",
            "sagas files ingest customers-1.csv customers-2.csv.gz --follow   # wait until the CRM has them",
            "sagas files ingest kunden.csv --column first_name=Vorname --column last_name=Nachname",
            "sagas files ingest dirty.csv --max-reject-ratio 0.5              # accept up to half of the rows as rejects",
            "sagas files ingest --kind alerts alerts.csv --follow             # wait until they are delivered"
        )
        {
            options.Files,
            kind,
        };
        options.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.ValueOrDefault(kind) == "alerts" && options.NameOfCustomersOption(result) is { } name)
                result.AddError($"{name} is for files of customers. Remove {name} or --kind alerts.");
        });
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var paths = CommandOptions.ExistingFiles(parse, options.Files);
                await using var run = await FilesRun.OpenAsync(parse, terminal, options, cancellationToken);
                return await run.RunAsync(parse.GetValue(kind) ?? "customers", paths, cancellationToken);
            }
        );
        return command;
    }
}
