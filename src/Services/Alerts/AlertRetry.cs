using Npgsql;
using NpgsqlTypes;
using Sagas.OutboundCalls;

namespace Sagas.Services.Alerts;

/// <summary>The result of a retry by an operator.</summary>
/// <param name="Alerts">Parked alerts that are retried.</param>
/// <param name="EndpointEnabled">Whether the endpoint had been disabled and is not any more.</param>
/// <param name="PauseEnded">Whether the endpoint had asked for a pause, which has ended now.</param>
public sealed record AlertRetryResult(long Alerts, bool EndpointEnabled, bool PauseEnded);

/// <summary>Retries parked alerts, each with its schedule from the start.</summary>
public static class AlertRetry
{
    private const string KnownSql = """
        SELECT ($2::uuid IS NULL OR EXISTS (SELECT FROM file WHERE file_id = $2 AND kind = 'alerts'))
           AND ($3::text IS NULL OR EXISTS (SELECT FROM outbound_call WHERE target = $1 AND idempotency_key = $3))
        """;

    /// <summary>Retries parked alerts, each once, enables an endpoint that was gone, and ends its pause.</summary>
    /// <param name="database">The database.</param>
    /// <param name="file">Only those of this file; null: of all.</param>
    /// <param name="alertId">Only this one; null: all.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Null: there is no such file or no such alert, and nothing was done.</returns>
    public static async Task<AlertRetryResult?> RunAsync(
        NpgsqlDataSource database,
        Guid? file,
        string? alertId,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(database);
        await using (var known = database.CreateCommand(KnownSql))
        {
            known.Parameters.AddRange(Which(file, alertId));
            if (await known.ExecuteScalarAsync(cancellationToken) is not true)
                return null;
        }

        // Enabled first: killed in between, the endpoint is open and the alerts are still parked.
        var enabled = await CallTargets.EnableAsync(database, AlertReceiver.TargetName, cancellationToken);
        var retried = await ParkedCalls.RetryAsync(
            database,
            new()
            {
                Target = AlertReceiver.TargetName,
                Keys = alertId is null ? null : [alertId],
                CorrelationId = file,
            },
            cancellationToken
        );
        return new(retried.Calls.Count, enabled, retried.ResumedTargets.Count > 0);
    }

    private static NpgsqlParameter[] Which(Guid? file, string? alertId) =>
        [
            new() { Value = AlertReceiver.TargetName },
            new() { Value = (object?)file ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
            new() { Value = (object?)alertId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
        ];
}
