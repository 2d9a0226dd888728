using System.Globalization;
using System.Text.Json.Serialization;
using Sagas.Services.Files;
using Sagas.Services.Ingest;

namespace Sagas.Cli.Ingest;

/// <summary>What became of a file.</summary>
/// <param name="File">As it was named.</param>
/// <param name="FileId">Its id in the register.</param>
/// <param name="State">How it ended.</param>
/// <param name="Reason">Why it was stopped or refused.</param>
/// <param name="AlreadyIngested">The same content was done before: nothing was changed.</param>
/// <param name="Rows">Rows in all, rejected ones among them.</param>
/// <param name="Added">Customers that were not known.</param>
/// <param name="Changed">Rows that changed a customer's data.</param>
/// <param name="Unchanged">Rows that told nothing new.</param>
/// <param name="Rejected">Rows that were not taken.</param>
/// <param name="Rejects">The file with the rejected rows.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record IngestReport(
    string File, Guid FileId, FileState State, string? Reason, bool AlreadyIngested,
    long Rows, long Added, long Changed, long Unchanged, long Rejected, string? Rejects, double Seconds)
{
    /// <summary>The same for a person.</summary>
    [JsonIgnore]
    public string Sentence => State switch
    {
        FileState.Done when AlreadyIngested => $"{File}: the same content was ingested before ({Number(Rows)} rows); nothing was changed.",
        FileState.Refused => $"{File}: refused. {Reason}",
        FileState.Stopped => $"{File}: stopped after {Counts}. {Reason} The same command goes on where it was.{Where}",
        _ => $"{File}: {Counts} in {Seconds.ToString("0.0", CultureInfo.InvariantCulture)} s ({Number(Rows / Math.Max(Seconds, 0.001))} rows/s).{Where}",
    };

    private string Counts =>
        $"{Number(Rows)} rows: {Number(Added)} new, {Number(Changed)} changed, {Number(Unchanged)} unchanged, {Number(Rejected)} rejected";

    private string Where => Rejects is null ? "" : $" Rejected rows: {Path.GetRelativePath(Environment.CurrentDirectory, Rejects)}";

    private static string Number(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static IngestReport Of(string path, IntakeResult result, TimeSpan elapsed, string? rejects)
    {
        var (outcome, counts) = (result.Outcome, result.Outcome.Counts);
        return new IngestReport(
            path, result.File.FileId, outcome.State, outcome.Reason, result.WasDone, counts.Rows, counts.Added, counts.Changed, counts.Unchanged,
            counts.Rejected, rejects, Math.Round(elapsed.TotalSeconds, 3));
    }
}
