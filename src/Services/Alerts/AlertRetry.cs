using Npgsql;
using NpgsqlTypes;

namespace Sagas.Services.Alerts;

/// <summary>What a retry by hand did.</summary>
/// <param name="Alerts">Parked alerts that are tried again.</param>
/// <param name="EndpointEnabled">Whether the endpoint had been disabled and is not any more.</param>
public sealed record AlertRetryResult(long Alerts, bool EndpointEnabled);

/// <summary>Has parked alerts tried again, each with the whole schedule before it.</summary>
public static class AlertRetry
{
    // What is spread over the time that it takes anyway leaves room for alerts that come in the meantime.
    private const string RetrySql = """
        UPDATE ledger l SET state = 'waiting', finished_at = NULL, attempts = 0,
            due = now() + make_interval(secs => p.place / coalesce((SELECT per_second FROM ledger_limit WHERE target = $1), 2000))
        FROM (SELECT idempotency_key, row_number() OVER (ORDER BY finished_at, idempotency_key) AS place
              FROM ledger
              WHERE target = 'alert-webhook' AND state = 'parked'
                AND ($2::uuid IS NULL OR correlation_id = $2) AND ($3::text IS NULL OR idempotency_key = $3)) p
        WHERE l.target = $1 AND l.idempotency_key = p.idempotency_key AND l.state = 'parked'
        """;

    private const string KnownSql = """
        SELECT ($2::uuid IS NULL OR EXISTS (SELECT FROM file WHERE file_id = $2 AND kind = 'alerts'))
           AND ($3::text IS NULL OR EXISTS (SELECT FROM ledger WHERE target = $1 AND idempotency_key = $3))
        """;

    private const string EnableSql =
        "UPDATE ledger_limit SET disabled_at = NULL, disabled_by = NULL WHERE target = $1 AND disabled_at IS NOT NULL";

    /// <summary>Puts parked alerts back, each once however many ask for it, and enables an endpoint that was gone.</summary>
    /// <param name="database">The database.</param>
    /// <param name="file">Only those of this file; null: of all.</param>
    /// <param name="alertId">Only this one; null: all.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>Null: there is no such file or no such alert, and nothing was done.</returns>
    public static async Task<AlertRetryResult?> RunAsync(
        NpgsqlDataSource database, Guid? file, string? alertId, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(database);
        await using (var known = database.CreateCommand(KnownSql))
        {
            known.Parameters.AddRange(Which(file, alertId));
            if (await known.ExecuteScalarAsync(cancellation) is not true)
                return null;
        }

        await using var batch = database.CreateBatch();
        var retry = new NpgsqlBatchCommand(RetrySql);
        retry.Parameters.AddRange(Which(file, alertId));
        batch.BatchCommands.Add(retry);
        batch.BatchCommands.Add(new(EnableSql) { Parameters = { new() { Value = AlertReceiver.TargetName } } });
        await batch.ExecuteNonQueryAsync(cancellation);
        return new((long)batch.BatchCommands[0].RecordsAffected, batch.BatchCommands[1].RecordsAffected > 0);
    }

    private static NpgsqlParameter[] Which(Guid? file, string? alertId) =>
    [
        new() { Value = AlertReceiver.TargetName },
        new() { Value = (object?)file ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
        new() { Value = (object?)alertId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
    ];
}
