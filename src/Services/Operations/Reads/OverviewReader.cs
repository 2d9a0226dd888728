using System.Text.Json;
using Npgsql;

namespace Sagas.Services.Operations.Reads;

/// <summary>Reads <see cref="Overview"/>; all who ask at the same time share one.</summary>
public sealed class OverviewReader(NpgsqlDataSource database, IQueueDepths queues, TimeProvider timeProvider)
{
    private static readonly TimeSpan _fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _history = TimeSpan.FromHours(1);

    private const string ActivitySql = """
        SELECT name, extract(epoch FROM date_trunc('minute', now()) - minute)::int / 60 AS ago, sum(count)::bigint AS count
        FROM activity WHERE minute > now() - interval '1 hour' GROUP BY 1, 2
        """;

    // Each count reads at most as many entries of an index as its limit.
    private const string WaitingSql = """
        SELECT 'payments waiting for their customer' AS name, n.count, (
            SELECT created_at FROM payment_state WHERE current_state = 'AwaitingCustomer' ORDER BY created_at LIMIT 1) AS oldest
        FROM (SELECT count(*) FROM (SELECT FROM payment_state WHERE current_state = 'AwaitingCustomer' LIMIT $1) l) n
        UNION ALL
        SELECT 'messages to send', n.count, (
            SELECT enqueue_time FROM outbox_message WHERE outbox_id IS NULL AND position = 0 AND enqueue_time <= now()
            ORDER BY enqueue_time LIMIT 1)
        FROM (SELECT count(*) FROM (SELECT FROM outbox_message
            WHERE outbox_id IS NULL AND position = 0 AND enqueue_time <= now() LIMIT $1) l) n
        UNION ALL
        SELECT 'calls parked', n.count, (
            SELECT finished_at FROM outbound_call WHERE state = 'parked' ORDER BY finished_at LIMIT 1)
        FROM (SELECT count(*) FROM (SELECT FROM outbound_call WHERE state = 'parked' LIMIT $1) l) n
        UNION ALL
        SELECT 'files being read', n.count, n.oldest
        FROM (SELECT count(*), min(accepted_at) AS oldest FROM file WHERE state IN ('pending', 'running')) n
        """;

    private const string TargetsSql = """
        WITH RECURSIVE called AS (
            SELECT min(target) AS target FROM outbound_call
            UNION ALL
            SELECT (SELECT min(target) FROM outbound_call WHERE target > c.target) FROM called c WHERE c.target IS NOT NULL)
        SELECT t.target, l.held_at, l.held_by, l.disabled_at, l.disabled_reason, l.paused_until, l.paused_reason, l.per_second,
            (SELECT count(*) FROM (SELECT FROM outbound_call c WHERE c.target = t.target AND c.due <= now() LIMIT $1) d) AS due,
            (SELECT due FROM outbound_call c WHERE c.target = t.target AND c.due <= now() ORDER BY due LIMIT 1) AS oldest
        FROM (SELECT target FROM called WHERE target IS NOT NULL UNION SELECT target FROM rate_limit) t
        LEFT JOIN rate_limit l ON l.target = t.target
        ORDER BY 1
        """;

    private const string ProcessesSql = """
        SELECT *, CASE WHEN stopped_at IS NOT NULL THEN 'stopped' WHEN heartbeat_at < now() - interval '20 seconds' THEN 'missing'
            ELSE 'running' END AS state
        FROM process WHERE coalesce(stopped_at, now()) > now() - interval '10 minutes' ORDER BY host_name, started_at
        """;

    private readonly Lock _lock = new();
    private Task<Overview>? _latest;
    private long _startedAt;

    public Task<Overview> ReadAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_latest is null || _latest.IsFaulted || timeProvider.GetElapsedTime(_startedAt) > _fresh)
            {
                _startedAt = timeProvider.GetTimestamp();
                // The read is shared: a caller that gives up does not end it for the others.
                _latest = Task.Run(() => ReadNowAsync(CancellationToken.None), CancellationToken.None);
            }

            return _latest.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Something was changed here: who reads next sees it.</summary>
    internal void Forget()
    {
        lock (_lock)
            _latest = null;
    }

    private async Task<Overview> ReadNowAsync(CancellationToken cancellationToken)
    {
        var depths = queues.ReadAsync(cancellationToken);
        var activity = await database.RowsAsync(
            ActivitySql,
            row => (Name: row.Text("name"), Ago: row.Int("ago"), Count: row.Long("count")),
            cancellationToken
        );
        var waiting = await database.RowsAsync(
            WaitingSql,
            row => new WaitingCount(row.Text("name"), row.Long("count"), row.OptionalTime("oldest")),
            cancellationToken,
            WaitingCount.Limit
        );
        var targets = await database.RowsAsync(TargetsSql, Target, cancellationToken, WaitingCount.Limit);
        var processes = await database.RowsAsync(ProcessesSql, Process, cancellationToken);
        return new(timeProvider.GetUtcNow(), Lines(activity), await depths, waiting, targets, processes);
    }

    private static IReadOnlyList<ActivityLine> Lines(IEnumerable<(string Name, int Ago, long Count)> rows) =>
        [
            .. rows.GroupBy(row => row.Name, StringComparer.Ordinal)
                .OrderBy(line => line.Key, StringComparer.Ordinal)
                .Select(line =>
                {
                    var minutes = new long[(int)_history.TotalMinutes];
                    foreach (var (_, ago, count) in line)
                    {
                        if (ago >= 0 && ago < minutes.Length)
                            minutes[^(ago + 1)] = count;
                    }

                    return new ActivityLine(line.Key, minutes.Sum(), minutes);
                }),
        ];

    private TargetOverview Target(NpgsqlDataReader row)
    {
        var (held, disabled, until) = (
            row.OptionalTime("held_at"),
            row.OptionalTime("disabled_at"),
            row.OptionalTime("paused_until")
        );
        var isWaiting = until > timeProvider.GetUtcNow();
        var (state, reason) =
            held is not null ? ("paused", $"{row.OptionalText("held_by")} paused it")
            : disabled is not null ? ("disabled", row.OptionalText("disabled_reason"))
            : isWaiting ? ("waiting", row.OptionalText("paused_reason"))
            : ("calling", null);
        return new(
            row.Text("target"),
            state,
            reason,
            row.Long("due"),
            row.OptionalTime("oldest"),
            isWaiting ? until : null,
            row.IsDBNull(row.GetOrdinal("per_second")) ? null : row.GetDouble(row.GetOrdinal("per_second"))
        );
    }

    private static ProcessOverview Process(NpgsqlDataReader row) =>
        new(
            row.Id("process_id"),
            row.Text("host_name"),
            row.Text("roles"),
            row.Text("version"),
            row.Time("started_at"),
            row.Time("heartbeat_at"),
            row.Text("state"),
            JsonSerializer.Deserialize<List<ProcessTarget>>(row.Text("targets"), JsonSerializerOptions.Web) ?? []
        );
}

/// <summary>Asks the broker how many messages wait. The transport in memory has none to ask.</summary>
public interface IQueueDepths
{
    /// <summary>The services' queues; empty while the broker cannot be asked.</summary>
    Task<IReadOnlyList<QueueDepth>> ReadAsync(CancellationToken cancellationToken);
}
