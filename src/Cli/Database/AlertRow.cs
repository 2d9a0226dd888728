using NpgsqlTypes;

namespace Sagas.Cli.Database;

/// <summary>A row of the view alert_delivery.</summary>
/// <param name="AlertId">The alert.</param>
/// <param name="File">The file that it came from; null: it came as a message.</param>
/// <param name="Line">Its line there.</param>
/// <param name="UserId">The user.</param>
/// <param name="AlertMessage">The text.</param>
/// <param name="State">waiting, in_flight, delivered, failed or parked.</param>
/// <param name="Attempts">How often it was sent.</param>
/// <param name="LastAnswer">The outcome of the last attempt.</param>
/// <param name="NextTryAt">When it is sent next.</param>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="FinishedAt">When it was delivered, failed or parked.</param>
internal sealed record AlertRow(
    string AlertId,
    string? File,
    long? Line,
    string UserId,
    string AlertMessage,
    string State,
    int Attempts,
    string? LastAnswer,
    DateTimeOffset? NextTryAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt
)
{
    /// <summary>The states of an alert.</summary>
    public static readonly string[] States = ["waiting", "in_flight", "delivered", "failed", "parked"];

    /// <summary>The newest alerts in a state; without one, those that are not delivered.</summary>
    public static Task<IReadOnlyList<AlertRow>> NewestAsync(
        SagasDatabase database,
        string? state,
        string? file,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            """
            SELECT * FROM alert_delivery
            WHERE CASE WHEN $1::text IS NULL THEN state <> 'delivered' ELSE state = $1 END
              AND ($2::text IS NULL OR file = $2 OR file_id::text = $2)
            ORDER BY created_at DESC, line DESC, alert_id LIMIT $3
            """,
            row => new AlertRow(
                row.Get<string>("alert_id"),
                row.Text("file"),
                row.GetNullable<long>("line"),
                row.Get<string>("user_id"),
                row.Get<string>("alert_message"),
                row.Get<string>("state"),
                row.Get<int>("attempts"),
                row.Text("last_answer"),
                row.GetNullable<DateTimeOffset>("next_try_at"),
                row.Get<DateTimeOffset>("created_at"),
                row.GetNullable<DateTimeOffset>("finished_at")
            ),
            cancellationToken,
            new() { Value = (object?)state ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = (object?)file ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = limit }
        );
}
