using Npgsql;
using Sagas.OutboundCalls;
using Sagas.Services.Operations.Reads;

namespace Sagas.Services.Operations.Actions;

/// <summary>Which calls that were given up.</summary>
/// <param name="Target">Only to this target; null: to each.</param>
/// <param name="State">parked or failed; null: both.</param>
/// <param name="Reason">Only those whose last outcome begins so, such as <c>422</c>.</param>
/// <param name="Since">Only those given up from this time on.</param>
public sealed record CallFilter(string? Target, string? State, string? Reason, DateTimeOffset? Since)
{
    /// <summary>The filter for the audit.</summary>
    public override string ToString() =>
        "calls"
        + (Target is null ? "" : $" to {Target}")
        + (Reason is null ? "" : $" with '{Reason}'")
        + (Since is null ? "" : $" since {Since:O}");
}

/// <summary>A call that was given up: parked for an operator, or failed for good.</summary>
/// <param name="Target">The third party.</param>
/// <param name="Key">The call's idempotency key.</param>
/// <param name="State">parked or failed.</param>
/// <param name="Reason">What came of its last attempt.</param>
/// <param name="Attempts">Attempts made.</param>
/// <param name="FinishedAt">When it was given up.</param>
/// <param name="CorrelationId">The saga or file that asked for it.</param>
public sealed record CallGivenUp(
    string Target,
    string Key,
    string State,
    string Reason,
    int Attempts,
    DateTimeOffset FinishedAt,
    Guid? CorrelationId
);

/// <summary>Reads calls that were given up, from the index of them.</summary>
internal static class CallsGivenUp
{
    private const string Matches = """
        state IN ('parked', 'failed') AND ($1::text IS NULL OR target = $1) AND ($2::text IS NULL OR state = $2)
        AND ($3::text IS NULL OR starts_with(coalesce(last_outcome, ''), $3))
        AND finished_at >= coalesce($4::timestamptz, '-infinity')
        """;

    /// <summary>The newest.</summary>
    public static Task<IReadOnlyList<CallGivenUp>> NewestAsync(
        NpgsqlDataSource database,
        CallFilter filter,
        DateTimeOffset? before,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.RowsAsync(
            $"""
            SELECT target, idempotency_key, state, last_outcome, attempts, finished_at, correlation_id FROM outbound_call
            WHERE {Matches} AND finished_at < coalesce($5::timestamptz, 'infinity') ORDER BY finished_at DESC LIMIT $6
            """,
            row => new CallGivenUp(
                row.Text("target"),
                row.Text("idempotency_key"),
                row.Text("state"),
                row.OptionalText("last_outcome") ?? "",
                row.Int("attempts"),
                row.Time("finished_at"),
                row.OptionalId("correlation_id")
            ),
            cancellationToken,
            filter.Target,
            filter.State,
            filter.Reason,
            filter.Since,
            before,
            limit
        );

    /// <summary>The keys of the oldest.</summary>
    public static Task<IReadOnlyList<CallKey>> KeysAsync(
        NpgsqlDataSource database,
        CallFilter filter,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.RowsAsync(
            $"SELECT target, idempotency_key FROM outbound_call WHERE {Matches} ORDER BY finished_at LIMIT $5",
            row => new CallKey(row.GetString(0), row.GetString(1)),
            cancellationToken,
            filter.Target,
            filter.State,
            filter.Reason,
            filter.Since,
            limit
        );
}
