namespace Sagas.Cli.Database;

/// <summary>How far the CRM has been told of how many customers.</summary>
/// <param name="State">The customers' state.</param>
/// <param name="Customers">How many are in it.</param>
/// <param name="Oldest">The one that has been in it longest changed then.</param>
/// <param name="Reason">SyncFailed: why; Syncing: what came of the last attempt, where there was one.</param>
internal sealed record CrmRow(string State, long Customers, DateTimeOffset Oldest, string? Reason)
{
    /// <summary>Customers by state and reason, those that failed first.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<CrmRow>> StatesAsync(SagasDatabase database, int limit, CancellationToken stop) =>
        database.QueryAsync(
            """
            SELECT c.current_state, count(*) AS customers, min(c.updated_at) AS oldest, coalesce(c.sync_failure, l.last_outcome) AS reason
            FROM customer_state c
            LEFT JOIN outbound_call l ON c.current_state = 'Syncing' AND l.target = 'crm' AND l.state <> 'done'
                AND l.idempotency_key = c.correlation_id::text || '/' || c.version
            GROUP BY 1, 4
            ORDER BY array_position(ARRAY['SyncFailed', 'Syncing', 'Synced', 'Registered'], c.current_state), 2 DESC LIMIT $1
            """,
            row => new CrmRow(row.Get<string>("current_state"), row.Get<long>("customers"), row.Get<DateTimeOffset>("oldest"), row.Text("reason")),
            stop,
            new Npgsql.NpgsqlParameter { Value = limit });

    /// <summary>Every customer in a state.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="state">The state.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<string>> IdsAsync(SagasDatabase database, string state, CancellationToken stop) =>
        database.QueryAsync(
            "SELECT customer_id FROM customer_state WHERE current_state = $1 ORDER BY updated_at, customer_id",
            row => row.Get<string>("customer_id"),
            stop,
            new Npgsql.NpgsqlParameter { Value = state });
}
