using Npgsql;
using NpgsqlTypes;

namespace Sagas.Cli.Database;

/// <summary>A row of the view alert_files_overview.</summary>
/// <param name="FileId">The file.</param>
/// <param name="Name">What it was called when it came.</param>
/// <param name="State">pending, running, completed, failed or invalid.</param>
/// <param name="Reason">Why it failed or is invalid.</param>
/// <param name="Rows">Alerts enqueued.</param>
/// <param name="Delivered">Of them: taken by the receiver.</param>
/// <param name="Waiting">Of them: on their way, or waiting for another try.</param>
/// <param name="Failed">Of them: refused for good.</param>
/// <param name="Parked">Of them: given up until a person retries.</param>
/// <param name="Rejected">Rows that are no alerts.</param>
/// <param name="CreatedAt">When it was seen first.</param>
internal sealed record AlertFileRow(
    Guid FileId,
    string Name,
    string State,
    string? Reason,
    long Rows,
    long Delivered,
    long Waiting,
    long Failed,
    long Parked,
    long Rejected,
    DateTimeOffset CreatedAt)
{
    /// <summary>Deliveries per second just now; null: nothing is under way, or it was not measured.</summary>
    public double? PerSecond { get; init; }

    /// <summary>Whether something of it is still to be done without a person's help.</summary>
    public bool IsUnderWay => State is "pending" or "running" || Waiting > 0;

    /// <summary>The newest files.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="file">Only those of this name or id; null: all.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<AlertFileRow>> NewestAsync(SagasDatabase database, string? file, int limit, CancellationToken stop) =>
        database.QueryAsync(
            """
            SELECT * FROM alert_files_overview
            WHERE $1::text IS NULL OR name = $1 OR file_id::text = $1 ORDER BY created_at DESC, file_id LIMIT $2
            """,
            Read,
            stop,
            new() { Value = (object?)file ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = limit });

    /// <summary>Some files.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="files">Their ids.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<AlertFileRow>> FindAsync(SagasDatabase database, Guid[] files, CancellationToken stop) =>
        database.QueryAsync("SELECT * FROM alert_files_overview WHERE file_id = ANY ($1)", Read, stop, new NpgsqlParameter { Value = files });

    /// <summary>Why nothing is delivered just now; null: it is.</summary>
    /// <param name="database">Where that is known.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<string?> EndpointTroubleAsync(SagasDatabase database, CancellationToken stop)
    {
        var rows = await database.QueryAsync(
            "SELECT disabled_reason, paused_reason, paused_until > now() AS paused, paused_until FROM rate_limit WHERE target = $1",
            row => row.Text("disabled_reason") is { } gone
                ? $"The endpoint is disabled ({gone}): `sagas alerts retry --all` enables it."
                : row.Maybe<bool>("paused") == true
                    ? $"The endpoint asked to wait until {CommandLine.Display.Moment(row.Maybe<DateTimeOffset>("paused_until"))} ({row.Text("paused_reason")})."
                    : null,
            stop,
            new NpgsqlParameter { Value = Services.Alerts.AlertReceiver.TargetName });
        return rows.FirstOrDefault();
    }

    private static AlertFileRow Read(Row row) => new(
        row.Get<Guid>("file_id"),
        row.Get<string>("name"),
        row.Get<string>("state"),
        row.Text("reason"),
        row.Get<long>("rows"),
        row.Get<long>("delivered"),
        row.Get<long>("waiting"),
        row.Get<long>("failed"),
        row.Get<long>("parked"),
        row.Get<long>("rejected"),
        row.Get<DateTimeOffset>("created_at"));
}
