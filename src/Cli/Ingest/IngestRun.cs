using System.Diagnostics;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Customers;
using Sagas.Services.Files;
using Sagas.Services.Ingest;
using Sagas.Services.Messages;

namespace Sagas.Cli.Ingest;

/// <summary>Takes the files of one command line in, and says how that goes.</summary>
internal sealed class IngestRun(Terminal terminal, SagasDatabase database, IngestOptions options, bool hasCrm, bool json)
{
    private readonly FileRegister _register = new(database.Source);

    public async Task<int> RunAsync(IReadOnlyList<string> paths, bool follow, CancellationToken stop)
    {
        var rules = new MessagesOptions();
        var ingest = new CustomerIngest(
            database.Source, _register, Microsoft.Extensions.Options.Options.Create(options),
            Microsoft.Extensions.Options.Options.Create(new CustomerSyncOptions { Enabled = hasCrm }), rules, terminal.Time);
        var intake = new FileIntake(ingest, _register, terminal.Time);
        var reports = new List<IngestReport>();
        foreach (var path in paths)
            reports.Add(await TakeAsync(intake, path, stop));
        if (follow && !hasCrm)
            terminal.Error.WriteLine("There is no CRM (Crm__Enabled is false): nothing to follow.");
        var isTold = !follow || !hasCrm || await new CrmFollower(terminal, database, options, rules, json).FollowAsync(reports, stop);
        if (json)
            terminal.WriteJson(reports);
        return isTold && reports.TrueForAll(report => report.State == FileState.Done) ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task<IngestReport> TakeAsync(FileIntake intake, string path, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        using var line = new ProgressLine(terminal, json, Path.GetFileName(path));
        try
        {
            var (result, rejects) = await database.OutlastAsync(() => TakeAsync(intake, path, line, stop), line.Interrupt, terminal.Time, stop);
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

    private async Task<(IntakeResult Result, string? Rejects)> TakeAsync(FileIntake intake, string path, ProgressLine line, CancellationToken stop)
    {
        var result = await intake.TakeAsync(path, line.Show, stop);
        return (result, result.WasDone ? null : await WriteRejectsAsync(result, path, stop));
    }

    private async Task<string?> WriteRejectsAsync(IntakeResult result, string path, CancellationToken stop)
    {
        if (result.Outcome.Counts.Rejected == 0)
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
