namespace Sagas.Cli.Database;

/// <summary>How many customers are in a state, for one reason.</summary>
/// <param name="State">The customers' state.</param>
/// <param name="Customers">How many are in it.</param>
/// <param name="Oldest">When the one that has been in it longest changed.</param>
/// <param name="Reason">SyncFailed: why; Syncing: the outcome of the last attempt.</param>
internal sealed record CustomerSummaryRow(string State, long Customers, DateTimeOffset Oldest, string? Reason)
{
    /// <summary>Customers by state and reason, those that failed first.</summary>
    public static Task<IReadOnlyList<CustomerSummaryRow>> StatesAsync(
        SagasDatabase database,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            """
            SELECT c.current_state, count(*) AS customers, min(c.updated_at) AS oldest,
                   coalesce(c.sync_failure, l.last_outcome) AS reason
            FROM customer_state c
            LEFT JOIN outbound_call l ON c.current_state = 'Syncing' AND l.target = 'crm' AND l.state <> 'done'
                AND l.idempotency_key = c.correlation_id::text || '/' || c.version
            GROUP BY 1, 4
            ORDER BY array_position(ARRAY['SyncFailed', 'Syncing', 'Synced', 'Registered'], c.current_state), 2 DESC LIMIT $1
            """,
            row => new CustomerSummaryRow(
                row.Get<string>("current_state"),
                row.Get<long>("customers"),
                row.Get<DateTimeOffset>("oldest"),
                row.Text("reason")
            ),
            cancellationToken,
            new Npgsql.NpgsqlParameter { Value = limit }
        );
}
