using System.Diagnostics;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Customers;
using Sagas.FileIntake;
using Sagas.FileIntake.Storage;
using Sagas.Services.Ingest;
using Sagas.Services.Messages;

namespace Sagas.Cli.Ingest;

/// <summary>Takes the files of one command line in, and says how that goes.</summary>
internal sealed class IngestRun(Terminal terminal, SagasDatabase database, IngestOptions options, bool hasCrm, bool json)
{
    private readonly FileStore _store = new(database.Source);

    public async Task<int> RunAsync(IReadOnlyList<string> paths, bool follow, CancellationToken stop)
    {
        var rules = new MessagesOptions();
        var ingest = new CustomerIngest(
            database.Source, _store, Microsoft.Extensions.Options.Options.Create(options),
            Microsoft.Extensions.Options.Options.Create(new CustomerSyncOptions { Enabled = hasCrm }), rules, terminal.Time);
        var processor = new FileProcessor(ingest, _store, terminal.Time);
        var reports = new List<IngestReport>();
        foreach (var path in paths)
            reports.Add(await IngestAsync(processor, path, stop));
        if (follow && !hasCrm)
            terminal.Error.WriteLine("There is no CRM (Crm__Enabled is false): nothing to follow.");
        var isTold = !follow || !hasCrm || await new CrmFollower(terminal, database, options, rules, json).FollowAsync(reports, stop);
        if (json)
            terminal.WriteJson(reports);
        return isTold && reports.TrueForAll(report => report.State == FileState.Completed) ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task<IngestReport> IngestAsync(FileProcessor processor, string path, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        using var line = new ProgressLine(terminal, json, Path.GetFileName(path));
        try
        {
            var (result, rejects) = await database.OutlastAsync(() => IngestAsync(processor, path, line, stop), line.Interrupt, terminal.Time, stop);
            var report = IngestReport.Of(path, result, clock.Elapsed, rejects);
            line.End(report.Sentence);
            return report;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            line.End($"{path}: interrupted. The same command goes on where it was.");
            throw;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"{path} cannot be read: {exception.Message}", exception);
        }
    }

    private async Task<(FileResult Result, string? Rejects)> IngestAsync(
        FileProcessor processor, string path, ProgressLine line, CancellationToken stop)
    {
        var result = await processor.ProcessAsync(path, line.Show, stop);
        return (result, result.WasCompleted ? null : await WriteRejectsAsync(result, path, stop));
    }

    private async Task<string?> WriteRejectsAsync(FileResult result, string path, CancellationToken stop)
    {
        if (result.File.Counts.Rejected == 0)
            return null;
        var rejected = new RejectedRows(database.Source);
        try
        {
            return await rejected.WriteBesideAsync(result.File.FileId, path, stop);
        }
        // The file's folder may be for reading only.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return await rejected.WriteBesideAsync(result.File.FileId, Path.Combine(Environment.CurrentDirectory, Path.GetFileName(path)), stop);
        }
    }
}
