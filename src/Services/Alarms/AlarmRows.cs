using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Sagas.Contracts;

namespace Sagas.Services.Alarms;

/// <summary>The statements on <c>alarm</c> and <c>alarm_digest</c>.</summary>
internal static class AlarmRows
{
    // In the order of the key, so that two processes that change the same alarms wait for each other and do not deadlock.
    private const string WriteSql = """
        INSERT INTO alarm AS a (user_id, alarm_id, status, changed_at)
        SELECT user_id COLLATE "C", alarm_id COLLATE "C", status, changed_at
        FROM unnest($1, $2, $3, $4) AS c (user_id, alarm_id, status, changed_at)
        ORDER BY 1, 2
        ON CONFLICT (user_id, alarm_id) DO UPDATE
        SET status = excluded.status, changed_at = excluded.changed_at, received_at = now()
        WHERE excluded.changed_at > a.changed_at
        """;

    // A look-up per change: a join would leave it to the planner whether it reads the whole table.
    private const string ConflictsSql = """
        SELECT position::int - 1
        FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS c (user_id, alarm_id, status, changed_at, position)
        WHERE (SELECT a.status FROM alarm a
               WHERE a.user_id = c.user_id AND a.alarm_id = c.alarm_id AND a.changed_at = c.changed_at) <> c.status
        """;

    // Digests of one user take turns.
    private const string DigestAdvisoryLock = "7230005";

    private const string LockSql = $"SELECT pg_advisory_xact_lock({DigestAdvisoryLock}, hashtext($1))";

    private const string UnsentSql = """
        SELECT EXISTS (
            SELECT FROM outbox_message
            WHERE message_type = 'urn:message:Sagas.Contracts:AlarmDigest' AND correlation_id = $1)
        """;

    // Rows are locked in the order in which changes lock them. The digest has each row as it is once locked: a change that
    // committed first is in it, one that waits for the lock is left for the next digest.
    private const string TakeSql = """
        SELECT alarm_id, status, changed_at FROM alarm
        WHERE user_id = $1 AND status <> 'CLEARED' AND told_changed_at IS DISTINCT FROM changed_at
        ORDER BY alarm_id FOR UPDATE
        """;

    private const string TellSql = "UPDATE alarm SET told_changed_at = changed_at WHERE user_id = $1 AND alarm_id = ANY ($2)";

    private const string RecordSql = "INSERT INTO alarm_digest (user_id, alarms, message_id, request_id) VALUES ($1, $2, $3, $4)";

    private const string ToTellSql = """
        SELECT DISTINCT user_id FROM alarm
        WHERE user_id > $1 AND status <> 'CLEARED' AND told_changed_at IS DISTINCT FROM changed_at
        ORDER BY user_id LIMIT $2
        """;

    /// <summary>
    /// Writes changes, unless something newer is known of their alarm. In one statement, so all of them or none.
    /// </summary>
    /// <param name="connection">Open; in a transaction or not.</param>
    /// <param name="changes">Any number, in any order, also several of one alarm.</param>
    /// <param name="cancellationToken">Stops the statement; it may have been done.</param>
    /// <returns>The changes that contradict what is known: the alarm has another status at the same time.</returns>
    public static async Task<IReadOnlyCollection<AlarmChange>> WriteAsync(
        NpgsqlConnection connection,
        IReadOnlyList<AlarmChange> changes,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(WriteSql, connection, AlarmChange.Newest(changes));
        // As many rows as changes: each of them is the newest of its alarm.
        return await command.ExecuteNonQueryAsync(cancellationToken) == changes.Count
            ? []
            : await ConflictsAsync(connection, changes, cancellationToken);
    }

    private static async Task<IReadOnlyCollection<AlarmChange>> ConflictsAsync(
        NpgsqlConnection connection,
        IReadOnlyList<AlarmChange> changes,
        CancellationToken cancellationToken
    )
    {
        var conflicts = new HashSet<AlarmChange>();
        await using var command = Command(ConflictsSql, connection, changes);
        await using var position = await command.ExecuteReaderAsync(cancellationToken);
        while (await position.ReadAsync(cancellationToken))
            conflicts.Add(changes[position.GetInt32(0)]);
        return conflicts;
    }

    private static NpgsqlCommand Command(string sql, NpgsqlConnection connection, IReadOnlyList<AlarmChange> changes) =>
        new(sql, connection)
        {
            Parameters =
            {
                Array(NpgsqlDbType.Text, changes, change => change.UserId),
                Array(NpgsqlDbType.Text, changes, change => change.AlarmId),
                Array(NpgsqlDbType.Text, changes, change => change.Status),
                Array(NpgsqlDbType.Numeric, changes, change => ToNumber(change.ChangedAt)),
            },
        };

    /// <summary>
    /// Takes what goes into a digest of a user. Until the transaction ends, changes of these alarms wait, and so do other
    /// digests of the user.
    /// </summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="userId">The user.</param>
    /// <param name="correlationId">Correlation id of the user's digests.</param>
    /// <param name="cancellationToken">Stops the statements.</param>
    /// <returns>The alarms in the order of the digest; and whether an earlier digest of the user is still to be sent.</returns>
    public static async Task<(ActiveAlarm[] Alarms, bool EarlierUnsent)> TakeAsync(
        NpgsqlConnection connection,
        string userId,
        Guid correlationId,
        CancellationToken cancellationToken
    )
    {
        // One round trip, yet each statement sees what was committed when it began: after the lock was granted.
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(LockSql) { Parameters = { new NpgsqlParameter<string> { TypedValue = userId } } },
                new NpgsqlBatchCommand(UnsentSql) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = correlationId } } },
                new NpgsqlBatchCommand(TakeSql) { Parameters = { new NpgsqlParameter<string> { TypedValue = userId } } },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var unsent = reader.GetBoolean(0);
        await reader.NextResultAsync(cancellationToken);
        var alarms = new List<ActiveAlarm>();
        while (await reader.ReadAsync(cancellationToken))
            alarms.Add(new ActiveAlarm(reader.GetString(0), reader.GetString(1), FromNumber(reader.GetDecimal(2))));
        // They are read by id, and stay in that order where their times are equal.
        return ([.. alarms.OrderBy(alarm => alarm.LatestChangedAt)], unsent);
    }

    /// <summary>Marks alarms as digested, and records the digest.</summary>
    /// <param name="connection">In the transaction in which they were taken; its commit makes it so.</param>
    /// <param name="digest">The digest.</param>
    /// <param name="messageId">Its message id.</param>
    /// <param name="requestId">The message that requested it.</param>
    /// <param name="cancellationToken">Stops the statements.</param>
    public static async Task TellAsync(
        NpgsqlConnection connection,
        AlarmDigest digest,
        Guid messageId,
        Guid? requestId,
        CancellationToken cancellationToken
    )
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(TellSql)
                {
                    Parameters =
                    {
                        new NpgsqlParameter<string> { TypedValue = digest.UserId },
                        new NpgsqlParameter<string[]> { TypedValue = [.. digest.ActiveAlarms.Select(alarm => alarm.AlarmId)] },
                    },
                },
                new NpgsqlBatchCommand(RecordSql)
                {
                    Parameters =
                    {
                        new NpgsqlParameter<string> { TypedValue = digest.UserId },
                        new NpgsqlParameter<string>
                        {
                            TypedValue = JsonSerializer.Serialize(digest.ActiveAlarms),
                            NpgsqlDbType = NpgsqlDbType.Jsonb,
                        },
                        new NpgsqlParameter<Guid> { TypedValue = messageId },
                        new NpgsqlParameter { Value = (object?)requestId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
                    },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Users with changes for a digest.</summary>
    /// <param name="connection">Open.</param>
    /// <param name="after">Only users after this one; empty: from the first on.</param>
    /// <param name="limit">At most this many.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    public static async Task<List<string>> UsersToTellAsync(
        NpgsqlConnection connection,
        string after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(ToTellSql, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        var users = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            users.Add(reader.GetString(0));
        return users;
    }

    // A decimal has a scale, which Postgres keeps: the decimals that the producer sent.
    internal static decimal ToNumber(Instant instant)
    {
        var fraction = instant.Nanosecond;
        for (var decimals = Instant.MaximumDecimals; decimals > instant.Decimals; decimals--)
            fraction /= 10;
        return instant.UnixSeconds + new decimal(fraction, 0, 0, isNegative: false, (byte)instant.Decimals);
    }

    internal static Instant FromNumber(decimal seconds)
    {
        var whole = decimal.Floor(seconds);
        return Instant.FromUnixTime((long)whole, (int)((seconds - whole) * 1_000_000_000m), seconds.Scale);
    }

    private static NpgsqlParameter<T[]> Array<T>(
        NpgsqlDbType type,
        IReadOnlyList<AlarmChange> changes,
        Func<AlarmChange, T> value
    )
    {
        var values = new T[changes.Count];
        for (var index = 0; index < values.Length; index++)
            values[index] = value(changes[index]);
        return new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
    }
}
