using System.Text.Json;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Sagas.Persistence;

namespace Sagas.OutboundCalls;

/// <summary>Enqueues calls to third parties. A call whose key is known changes nothing. Wake the target's dispatcher
/// (<see cref="CallSignal{TTarget}"/>) after the commit.</summary>
public static class CallQueue
{
    private const string EnqueueSql = """
        INSERT INTO outbound_call (target, idempotency_key, state, mode, request, due, conversation_id, correlation_id)
        SELECT $1, c.key, 'waiting', $2, c.request::jsonb, now(), c.conversation_id, c.correlation_id
        FROM unnest($3, $4, $5, $6) AS c (key, request, conversation_id, correlation_id)
        ON CONFLICT DO NOTHING
        """;

    // Superseded rows are found by an array of keys: a join would leave it to the planner whether it reads the whole table.
    private const string SupersedeSql = """
        WITH older AS MATERIALIZED (
            SELECT ctid AS row, idempotency_key,
                   CASE WHEN state = 'in_flight' THEN due
                        WHEN outcome_unknown THEN coalesce(finished_at, now()) + $9 END AS quiet_at
            FROM outbound_call
            WHERE target = $1 AND state IN ('waiting', 'in_flight', 'failed', 'parked') AND idempotency_key = ANY ($8)
            ORDER BY idempotency_key FOR UPDATE),
        closed AS (
            UPDATE outbound_call SET state = 'superseded', due = NULL, claim = NULL, finished_at = now(),
                last_outcome = concat_ws('; ', last_outcome, 'superseded by newer data')
            WHERE ctid = ANY (ARRAY(SELECT row FROM older)))
        INSERT INTO outbound_call (target, idempotency_key, state, mode, request, due, conversation_id, correlation_id)
        SELECT $1, c.key, 'waiting', $2, c.request::jsonb,
               greatest(now(), (
                   SELECT max(o.quiet_at)
                   FROM older o JOIN unnest($7, $8) AS s (key, older_key) ON s.older_key = o.idempotency_key
                   WHERE s.key = c.key)),
               c.conversation_id, c.correlation_id
        FROM unnest($3, $4, $5, $6) AS c (key, request, conversation_id, correlation_id)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Enqueues a call with the commit of the message that is being consumed, where that shares its transaction with
    /// others. Where a key turns out to be known, its message is consumed again.</summary>
    /// <param name="context">The message.</param>
    /// <param name="target">The third party.</param>
    /// <param name="idempotencyKey">The call's name at the target.</param>
    /// <param name="request">The request to the target; stored as JSON.</param>
    /// <param name="correlationId">The saga that asks for it.</param>
    /// <returns>False: enqueue it in the consume's own transaction.</returns>
    public static bool TryEnqueueWithCommit<TRequest>(
        ConsumeContext context,
        CallTarget target,
        string idempotencyKey,
        TRequest request,
        Guid? correlationId
    )
        where TRequest : class
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentException.ThrowIfNullOrWhiteSpace(idempotencyKey);
        var json = JsonSerializer.Serialize(request, JsonSerializerOptions.Web);
        return context.TryAddToCommit(target.Enqueue, new NewCall(idempotencyKey, json, context.ConversationId, correlationId));
    }

    /// <summary>Enqueues a call.</summary>
    /// <param name="database">The context; its current transaction, if any, is used.</param>
    /// <param name="target">The third party.</param>
    /// <param name="idempotencyKey">The call's name at the target.</param>
    /// <param name="request">The request to the target; stored as JSON.</param>
    /// <param name="conversationId">The conversation that asks for it.</param>
    /// <param name="correlationId">The saga that asks for it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>False: the key was known.</returns>
    public static async Task<bool> EnqueueAsync<TRequest>(
        DbContext database,
        CallTarget target,
        string idempotencyKey,
        TRequest request,
        Guid? conversationId,
        Guid? correlationId,
        CancellationToken cancellationToken
    )
        where TRequest : class
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(idempotencyKey);
        var json = JsonSerializer.Serialize(request, JsonSerializerOptions.Web);
        var call = new NewCall(idempotencyKey, json, conversationId, correlationId);
        return await EnqueueAsync(database, target, [call], cancellationToken) == 1;
    }

    /// <summary>Enqueues calls in one statement.</summary>
    /// <param name="database">The context; its current transaction, if any, is used.</param>
    /// <param name="target">The third party.</param>
    /// <param name="calls">The calls, each key once.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>How many calls are new.</returns>
    public static async Task<int> EnqueueAsync(
        DbContext database,
        CallTarget target,
        IReadOnlyList<NewCall> calls,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(calls);
        if (calls.Count == 0)
            return 0;
        await using var connection = await CallStore.OpenAsync(database, cancellationToken);
        await using var command = connection.Command(EnqueueSql);
        AddCalls(command.Parameters, target.Name, target.Mode, calls);
        if (calls.Any(call => call.Supersedes.Count > 0))
        {
            command.CommandText = SupersedeSql;
            var pairs = calls.SelectMany(call => call.Supersedes, (call, older) => (call.IdempotencyKey, Older: older)).ToArray();
            AddArray(command.Parameters, NpgsqlDbType.Text, pairs, pair => pair.IdempotencyKey);
            AddArray(command.Parameters, NpgsqlDbType.Text, pairs, pair => pair.Older);
            command.Parameters.Add(new() { Value = target.LookupDelay, NpgsqlDbType = NpgsqlDbType.Interval });
        }

        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The statement that enqueues calls, for a batch of the caller's.</summary>
    /// <param name="target">The third party's name.</param>
    /// <param name="mode">How an unknown outcome is resolved.</param>
    /// <param name="calls">The calls, each key once; none supersedes others.</param>
    public static NpgsqlBatchCommand EnqueueCommand(string target, CallMode mode, IReadOnlyList<NewCall> calls)
    {
        ArgumentNullException.ThrowIfNull(calls);
        if (calls.Any(call => call.Supersedes.Count > 0))
            throw new ArgumentException("A call in a batch cannot supersede others.", nameof(calls));
        var command = new NpgsqlBatchCommand(EnqueueSql);
        AddCalls(command.Parameters, target, mode, calls);
        return command;
    }

    /// <summary>Makes calls that the target rejected or that were parked due again, with attempts and age counted from now and in
    /// the target's current mode, and ends the target's pause.</summary>
    /// <param name="database">The context; its current transaction, if any, is used.</param>
    /// <param name="target">The third party.</param>
    /// <param name="keys">The calls' keys; other calls are left as they are.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<int> RetryAsync(
        DbContext database,
        CallTarget target,
        IReadOnlyCollection<string> keys,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(target);
        var resume = PauseStore.ResumeParameters(target.Name, keys: null);
        await CallStore.ExecuteAsync(database, PauseStore.ResumeSql, resume, cancellationToken);
        return await CallStore.ExecuteAsync(
            database,
            """
            UPDATE outbound_call SET state = 'waiting', due = now(), finished_at = NULL, attempts = 0, retried_at = now(),
                mode = $2, outcome_unknown = outcome_unknown AND mode <> 'AtMostOnce'
            WHERE target = $1 AND state IN ('failed', 'parked') AND idempotency_key = ANY ($3)
            """,
            [new() { Value = target.Name }, new() { Value = target.Mode.ToString() }, new() { Value = keys.ToArray() }],
            cancellationToken
        );
    }

    private static void AddCalls(NpgsqlParameterCollection parameters, string target, CallMode mode, IReadOnlyList<NewCall> calls)
    {
        parameters.Add(new() { Value = target });
        parameters.Add(new() { Value = mode.ToString() });
        AddArray(parameters, NpgsqlDbType.Text, calls, call => call.IdempotencyKey);
        AddArray(parameters, NpgsqlDbType.Text, calls, call => call.Request);
        AddArray(parameters, NpgsqlDbType.Uuid, calls, call => call.ConversationId);
        AddArray(parameters, NpgsqlDbType.Uuid, calls, call => call.CorrelationId);
    }

    private static void AddArray<T, TValue>(
        NpgsqlParameterCollection parameters,
        NpgsqlDbType type,
        IReadOnlyList<T> items,
        Func<T, TValue> column
    ) => parameters.Add(new() { Value = items.Select(column).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type });
}
