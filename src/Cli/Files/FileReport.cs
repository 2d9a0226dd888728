using System.Globalization;
using System.Text.Json.Serialization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.FileIntake;
using Sagas.FileIntake.Storage;

namespace Sagas.Cli.Files;

/// <summary>The outcome of ingesting a file, of customers or of alerts.</summary>
/// <param name="File">The path, as it was given.</param>
/// <param name="FileId">Its id.</param>
/// <param name="Kind">What its rows are.</param>
/// <param name="State">pending, running, completed, failed or invalid.</param>
/// <param name="Reason">Why it failed or is invalid.</param>
/// <param name="AlreadyIngested">The same content was ingested before; nothing was changed.</param>
/// <param name="Rows">Rows in all, rejected ones included.</param>
/// <param name="Rejected">Rows that were not accepted.</param>
/// <param name="Added">Rows that created a customer or an alert.</param>
/// <param name="Changed">Rows that changed a customer.</param>
/// <param name="Unchanged">Rows without anything new.</param>
/// <param name="Delivered">Alerts that the receiver accepted; null for customers, as the following counts are.</param>
/// <param name="Waiting">Alerts in flight, or waiting for an attempt.</param>
/// <param name="Failed">Alerts that the receiver rejected.</param>
/// <param name="Parked">Alerts that are parked until an operator retries them.</param>
/// <param name="Rejects">The file with the rejected rows.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record FileReport(
    string File,
    Guid FileId,
    string Kind,
    string State,
    string? Reason,
    bool AlreadyIngested,
    long Rows,
    long Rejected,
    long Added,
    long Changed,
    long Unchanged,
    long? Delivered,
    long? Waiting,
    long? Failed,
    long? Parked,
    string? Rejects,
    double Seconds
)
{
    /// <summary>Whether every row is stored, and no alert failed so far.</summary>
    [JsonIgnore]
    public bool IsGood => State == "completed" && (Failed ?? 0) + (Parked ?? 0) == 0 && (Delivered is null || Rejected == 0);

    /// <summary>The report as a sentence.</summary>
    [JsonIgnore]
    public string Sentence =>
        State switch
        {
            "completed" when AlreadyIngested => $"{File}: the same content was ingested before ({Counts}); nothing was changed.",
            "invalid" => $"{File}: invalid. {Reason}",
            "failed" => $"{File}: failed after {Counts}. {Reason} `sagas files resume` continues where it stopped.{Where}",
            _ => $"{File}: {Counts} in {Duration} s{Rate}.{Where}",
        };

    private string Counts =>
        Delivered is null
            ? $"{Number(Rows)} rows: {Number(Added)} new, {Number(Changed)} changed, {Number(Unchanged)} unchanged, "
                + $"{Number(Rejected)} rejected"
            : $"{Number(Rows)} rows: {Number(Delivered)} delivered, {Number(Waiting)} waiting, {Number(Failed)} failed, "
                + $"{Number(Parked)} parked, {Number(Rejected)} rejected"
                + (Unchanged > 0 ? $", {Number(Unchanged)} sent before as rows of a shorter version" : "");

    private string Duration => Seconds.ToString("0.0", CultureInfo.InvariantCulture);

    private string Rate => Format.PerSecond(Rows, Seconds) is { } rate ? $" ({rate} rows/s)" : "";

    private string Where =>
        Rejects is null ? "" : $" Rejected rows: {Path.GetRelativePath(Environment.CurrentDirectory, Rejects)}";

    public static FileReport Of(string path, FileResult result, TimeSpan elapsed, string? rejects)
    {
        var (file, counts) = (result.File, result.File.Counts);
        return new FileReport(
            path,
            file.FileId,
            file.Kind,
            Name(file.State),
            file.Reason,
            result.WasCompleted,
            counts.Rows,
            counts.Rejected,
            counts.Added,
            counts.Changed,
            counts.Unchanged,
            null,
            null,
            null,
            null,
            rejects,
            Math.Round(elapsed.TotalSeconds, 3)
        );
    }

    public static FileReport Of(string path, FileResult result, FileRow row, TimeSpan elapsed) =>
        new(
            path,
            row.FileId,
            row.Kind,
            row.State,
            row.Reason,
            result.WasCompleted,
            row.Rows,
            row.Rejected,
            row.Added,
            row.Changed,
            row.Unchanged,
            row.Delivered,
            row.Waiting,
            row.Failed,
            row.Parked,
            null,
            Math.Round(elapsed.TotalSeconds, 3)
        );

    private static string Name(FileState state) => state.ToString().ToLowerInvariant();

    private static string Number(double? number) => (number ?? 0).ToString("N0", CultureInfo.InvariantCulture);
}
