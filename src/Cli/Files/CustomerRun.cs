using System.Diagnostics;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Customers;
using Sagas.FileIntake;
using Sagas.FileIntake.Storage;
using Sagas.Services.Alerts;
using Sagas.Services.Ingest;
using Sagas.Services.Messages;

namespace Sagas.Cli.Files;

/// <summary>Ingests the files of customers of one command line and reports the progress.</summary>
internal sealed class CustomerRun(Terminal terminal, SagasDatabase database, IngestOptions options, bool isCrmEnabled, bool json)
{
    private readonly FileStore _store = new(database.Source);

    public async Task<int> RunAsync(IReadOnlyList<string> paths, bool follow, CancellationToken cancellationToken)
    {
        var rules = new MessagesOptions();
        var ingest = new CustomerIngest(
            database.Source,
            _store,
            Microsoft.Extensions.Options.Options.Create(options),
            Microsoft.Extensions.Options.Options.Create(new CustomerSyncOptions { Enabled = isCrmEnabled }),
            rules,
            terminal.TimeProvider
        );
        var processor = new FileProcessor(ingest, _store, terminal.TimeProvider);
        var reports = new List<FileReport>();
        foreach (var path in paths)
            reports.Add(await IngestAsync(processor, path, cancellationToken));
        if (follow && !isCrmEnabled)
            terminal.Error.WriteLine("The CRM is disabled (Crm__Enabled is false); --follow has nothing to wait for.");
        var isSynced =
            !follow
            || !isCrmEnabled
            || await new CrmFollower(terminal, database, options, rules, json).FollowAsync(reports, cancellationToken);
        if (json)
            terminal.WriteJson(reports);
        return isSynced && reports.TrueForAll(report => report.IsGood) ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task<FileReport> IngestAsync(FileProcessor processor, string path, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        using var line = new ProgressLine(terminal, json, Path.GetFileName(path));
        try
        {
            var (result, rejects) = await database.RetryWhileUnavailableAsync(
                () => IngestAsync(processor, path, line, cancellationToken),
                line.Interrupt,
                terminal.TimeProvider,
                cancellationToken
            );
            var report = FileReport.Of(path, result, clock.Elapsed, rejects);
            if (result.File.State == FileState.Invalid && AlertIngest.HasHeader(path))
                report = report with
                {
                    Reason = $"{report.Reason} For a file of alerts, add --kind alerts to `sagas files ingest`.",
                };
            line.End(report.Sentence);
            return report;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            line.End($"{path}: interrupted. `sagas files resume` continues where it stopped.");
            throw;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"{path} cannot be read: {exception.Message}", exception);
        }
    }

    private async Task<(FileResult Result, string? Rejects)> IngestAsync(
        FileProcessor processor,
        string path,
        ProgressLine line,
        CancellationToken cancellationToken
    )
    {
        var result = await processor.ProcessAsync(path, line.Show, cancellationToken);
        return (result, result.WasCompleted ? null : await WriteRejectsAsync(result, path, cancellationToken));
    }

    private async Task<string?> WriteRejectsAsync(FileResult result, string path, CancellationToken cancellationToken)
    {
        if (result.File.Counts.Rejected == 0)
            return null;
        try
        {
            return await WriteRejectsAsync(result, Path.GetFullPath(path), Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        // The file's folder may be read-only.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return await WriteRejectsAsync(result, path, Environment.CurrentDirectory);
        }

        async Task<string?> WriteRejectsAsync(FileResult result, string path, string folder)
        {
            var target = Path.Combine(folder, FileNames.Append(Path.GetFileName(path), FileNames.Rejects));
            var rejected = new RejectedRows(database.Source);
            return await rejected.WriteFileAsync(result.File.FileId, target, cancellationToken) ? target : null;
        }
    }
}
