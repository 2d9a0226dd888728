using Npgsql;
using NpgsqlTypes;

namespace Sagas.Cli.Database;

/// <summary>A file of customers or alerts.</summary>
/// <param name="FileId">The file.</param>
/// <param name="Kind">What its rows are: customers or alerts.</param>
/// <param name="Name">Its name when it came in first.</param>
/// <param name="State">pending, running, completed, failed or invalid.</param>
/// <param name="Reason">Why it failed or is invalid.</param>
/// <param name="Rows">Rows read, rejected ones included.</param>
/// <param name="Rejected">Rows that were not accepted.</param>
/// <param name="Added">Rows that created a customer or an alert.</param>
/// <param name="Changed">Rows that changed a customer.</param>
/// <param name="Unchanged">Rows without anything new.</param>
/// <param name="Delivered">Alerts that the receiver accepted; null for customers, as the following counts are.</param>
/// <param name="Waiting">Alerts in flight, or waiting for an attempt.</param>
/// <param name="Failed">Alerts that the receiver rejected.</param>
/// <param name="Parked">Alerts that are parked until an operator retries them.</param>
/// <param name="AcceptedAt">When it came in.</param>
internal sealed record FileRow(
    Guid FileId,
    string Kind,
    string Name,
    string State,
    string? Reason,
    long Rows,
    long Rejected,
    long Added,
    long Changed,
    long Unchanged,
    long? Delivered,
    long? Waiting,
    long? Failed,
    long? Parked,
    DateTimeOffset AcceptedAt
)
{
    /// <summary>The kinds of files.</summary>
    public static readonly string[] Kinds = ["customers", "alerts"];

    /// <summary>Rows or deliveries per second; null: the file is not being read, or its rate was not measured.</summary>
    public double? PerSecond { get; init; }

    /// <summary>What its rate counts: deliveries of alerts, rows of customers.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public long Progress => Delivered ?? Rows;

    /// <summary>Whether it proceeds without an operator.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsOpen => State is "pending" or "running" || Waiting > 0;

    /// <summary>The newest files; with a kind, a name or id where they are given.</summary>
    public static Task<IReadOnlyList<FileRow>> NewestAsync(
        SagasDatabase database,
        string? kind,
        string? file,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            Sql(
                """
                WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR name = $2 OR file_id::text = $2)
                ORDER BY accepted_at DESC, file_id LIMIT $3
                """
            ),
            Read,
            cancellationToken,
            new() { Value = (object?)kind ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = (object?)file ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = limit }
        );

    /// <summary>Some files, by their ids.</summary>
    public static Task<IReadOnlyList<FileRow>> FindAsync(
        SagasDatabase database,
        Guid[] files,
        CancellationToken cancellationToken
    ) => database.QueryAsync(Sql("WHERE file_id = ANY ($1)"), Read, cancellationToken, new NpgsqlParameter { Value = files });

    /// <summary>The first rejected rows of a file, by line.</summary>
    public static Task<IReadOnlyList<(long Line, string Reason)>> RejectsAsync(
        SagasDatabase database,
        Guid file,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            "SELECT line, reason FROM file_reject WHERE file_id = $1 ORDER BY line LIMIT $2",
            row => (row.Get<long>("line"), row.Get<string>("reason")),
            cancellationToken,
            new NpgsqlParameter { Value = file },
            new NpgsqlParameter { Value = limit }
        );

    // Chooses the files before their alerts are counted.
    private static string Sql(string which) =>
        $"""
            SELECT f.*, a.delivered, a.waiting, a.failed, a.parked
            FROM (SELECT * FROM files_overview {which}) f LEFT JOIN alert_files_overview a USING (file_id)
            ORDER BY f.accepted_at DESC, file_id
            """;

    private static FileRow Read(Row row) =>
        new(
            row.Get<Guid>("file_id"),
            row.Get<string>("kind"),
            row.Get<string>("name"),
            row.Get<string>("state"),
            row.Text("reason"),
            row.Count("rows"),
            row.Count("rejected"),
            row.Count("added"),
            row.Count("changed"),
            row.Count("unchanged"),
            row.GetNullable<long>("delivered"),
            row.GetNullable<long>("waiting"),
            row.GetNullable<long>("failed"),
            row.GetNullable<long>("parked"),
            row.Get<DateTimeOffset>("accepted_at")
        );
}
