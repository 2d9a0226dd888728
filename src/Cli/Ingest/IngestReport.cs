using System.Globalization;
using System.Text.Json.Serialization;
using Sagas.FileIntake;
using Sagas.FileIntake.Storage;

namespace Sagas.Cli.Ingest;

/// <summary>What became of a file.</summary>
/// <param name="File">As it was named.</param>
/// <param name="FileId">Its id.</param>
/// <param name="State">How it ended.</param>
/// <param name="Reason">Why it failed or is invalid.</param>
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
        FileState.Completed when AlreadyIngested => $"{File}: the same content was ingested before ({Number(Rows)} rows); nothing was changed.",
        FileState.Invalid => $"{File}: invalid. {Reason}",
        FileState.Failed => $"{File}: failed after {Counts}. {Reason} Run the same command again to continue.{Where}",
        _ => $"{File}: {Counts} in {Seconds.ToString("0.0", CultureInfo.InvariantCulture)} s ({Number(Rows / Math.Max(Seconds, 0.001))} rows/s).{Where}",
    };

    private string Counts =>
        $"{Number(Rows)} rows: {Number(Added)} new, {Number(Changed)} changed, {Number(Unchanged)} unchanged, {Number(Rejected)} rejected";

    private string Where => Rejects is null ? "" : $" Rejected rows: {Path.GetRelativePath(Environment.CurrentDirectory, Rejects)}";

    private static string Number(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static IngestReport Of(string path, FileResult result, TimeSpan elapsed, string? rejects)
    {
        var (file, counts) = (result.File, result.File.Counts);
        return new IngestReport(
            path, file.FileId, file.State, file.Reason, result.WasCompleted, counts.Rows, counts.Added, counts.Changed, counts.Unchanged,
            counts.Rejected, rejects, Math.Round(elapsed.TotalSeconds, 3));
    }
}
