using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.OutboundCalls;

/// <summary>The statements on the tables <c>rate_limit</c> and <c>rate_limit_lease</c>.</summary>
internal static class PermitStore
{
    // The columns in the order in which they are read and written.
    private const string Columns = """
        version, per_second, learned_per_second, grows_at, epoch, epoch_at, granted, next_permit_at, paused_until, paused_reason,
        throttled
        """;

    private const string ReadSql = $"""
        SELECT {Columns}, disabled_at IS NOT NULL, resumed, clock_timestamp(),
               (SELECT count(*) FROM (SELECT FROM outbound_call WHERE target = $1 AND due <= now() LIMIT $2) c)::integer
        FROM rate_limit WHERE target = $1
        """;

    private const string WriteSql = """
        UPDATE rate_limit SET version = $1, per_second = $2, learned_per_second = $3, grows_at = $4, epoch = $5, epoch_at = $6,
            granted = $7, next_permit_at = $8, paused_until = $9, paused_reason = $10, throttled = $11
        WHERE target = $12 AND version = $1 - 1
        """;

    // A permit that a crash of the server forgets is granted again: not worth waiting for the disk.
    private const string NoWaitSql = "SELECT set_config('synchronous_commit', 'off', true)";

    // A process never gets what another still holds; the other returns its excess as its calls complete.
    private const string ShareSql = """
        WITH other AS (
            SELECT count(*) AS processes, coalesce(sum(permits), 0) AS held, count(*) FILTER (WHERE process_id < $2) AS before
            FROM rate_limit_lease WHERE target = $1 AND process_id <> $2 AND expires_at >= clock_timestamp())
        INSERT INTO rate_limit_lease AS l (target, process_id, permits, expires_at)
        SELECT $1, $2,
               greatest($4, least($3 / (processes + 1) + CASE WHEN before < $3 % (processes + 1) THEN 1 ELSE 0 END, $3 - held)),
               clock_timestamp() + $5
        FROM other
        ON CONFLICT (target, process_id) DO UPDATE SET permits = excluded.permits, expires_at = excluded.expires_at
        RETURNING permits
        """;

    /// <summary>Reads the limit, and creates its row where there is none.</summary>
    public static async Task<PermitSnapshot> ReadAsync(
        DbContext database,
        string target,
        int want,
        CancellationToken cancellationToken
    )
    {
        if (await TryReadAsync(database, target, want, cancellationToken) is { } found)
            return found;
        await CallStore.ExecuteAsync(
            database,
            "INSERT INTO rate_limit (target) VALUES ($1) ON CONFLICT DO NOTHING",
            [new() { Value = target }],
            cancellationToken
        );
        return await TryReadAsync(database, target, want, cancellationToken)
            ?? throw new InvalidOperationException($"Table rate_limit has no row for {target}.");
    }

    /// <summary>Writes the limit.</summary>
    /// <returns>False: another process wrote it first; read it again.</returns>
    public static async Task<bool> TryWriteAsync(
        DbContext database,
        string target,
        RateLimitState state,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await CallStore.OpenAsync(database, cancellationToken);
        await using var batch = Batch(database);
        batch.BatchCommands.Add(new(NoWaitSql));
        var write = new NpgsqlBatchCommand(WriteSql);
        Add(write, state.Version);
        Add(write, state.PerSecond, NpgsqlDbType.Double);
        Add(write, state.LearnedPerSecond, NpgsqlDbType.Double);
        Add(write, state.GrowsAt);
        Add(write, state.Epoch);
        Add(write, state.EpochAt);
        Add(write, state.Granted);
        Add(write, state.NextPermitAt);
        Add(write, state.PausedUntil, NpgsqlDbType.TimestampTz);
        Add(write, state.PausedReason, NpgsqlDbType.Text);
        Add(write, state.Throttled);
        Add(write, target);
        batch.BatchCommands.Add(write);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return write.RecordsAffected == 1;
    }

    /// <summary>Renews a process's share of the calls that a target takes at once.</summary>
    /// <returns>How many calls the process may have in flight.</returns>
    public static async Task<int> ShareAsync(
        DbContext database,
        string target,
        Guid process,
        int max,
        int running,
        TimeSpan lease,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await CallStore.OpenAsync(database, cancellationToken);
        await using var batch = Batch(database);
        batch.BatchCommands.Add(new(NoWaitSql));
        // One process at a time.
        var locking = new NpgsqlBatchCommand("SELECT true FROM rate_limit WHERE target = $1 FOR UPDATE");
        Add(locking, target);
        batch.BatchCommands.Add(locking);
        var cleaning = new NpgsqlBatchCommand(
            "DELETE FROM rate_limit_lease WHERE target = $1 AND expires_at < clock_timestamp()"
        );
        Add(cleaning, target);
        batch.BatchCommands.Add(cleaning);
        var share = new NpgsqlBatchCommand(ShareSql);
        Add(share, target);
        Add(share, process);
        Add(share, max);
        Add(share, running);
        Add(share, lease);
        batch.BatchCommands.Add(share);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        // After the results of the first two commands.
        await row.NextResultAsync(cancellationToken);
        await row.NextResultAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return row.GetInt32(0);
    }

    public static Task<int> DisableAsync(DbContext database, string target, string reason, CancellationToken cancellationToken) =>
        CallStore.ExecuteAsync(
            database,
            """
            INSERT INTO rate_limit AS l (target, disabled_at, disabled_reason) VALUES ($1, now(), $2)
            ON CONFLICT (target) DO UPDATE SET disabled_at = now(), disabled_reason = $2, version = l.version + 1
            WHERE l.disabled_at IS NULL
            """,
            [new() { Value = target }, new() { Value = reason }],
            cancellationToken
        );

    public static Task<int> ReturnAsync(DbContext database, string target, Guid process, CancellationToken cancellationToken) =>
        CallStore.ExecuteAsync(
            database,
            "DELETE FROM rate_limit_lease WHERE target = $1 AND process_id = $2",
            [new() { Value = target }, new() { Value = process }],
            cancellationToken
        );

    private static async Task<PermitSnapshot?> TryReadAsync(
        DbContext database,
        string target,
        int want,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await CallStore.OpenAsync(database, cancellationToken);
        await using var command = connection.Command(ReadSql);
        command.Parameters.Add(new() { Value = target });
        command.Parameters.Add(new() { Value = want });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken))
            return null;
        var state = new RateLimitState
        {
            Version = row.GetInt64(0),
            PerSecond = row.IsDBNull(1) ? null : row.GetDouble(1),
            LearnedPerSecond = row.IsDBNull(2) ? null : row.GetDouble(2),
            GrowsAt = row.GetFieldValue<DateTimeOffset>(3),
            Epoch = row.GetInt64(4),
            EpochAt = row.GetFieldValue<DateTimeOffset>(5),
            Granted = row.GetInt64(6),
            NextPermitAt = row.GetFieldValue<DateTimeOffset>(7),
            PausedUntil = row.IsDBNull(8) ? null : row.GetFieldValue<DateTimeOffset>(8),
            PausedReason = row.IsDBNull(9) ? null : row.GetString(9),
            Throttled = row.GetInt64(10),
            IsDisabled = row.GetBoolean(11),
            Resumed = row.GetInt64(12),
        };
        return new(state, row.GetFieldValue<DateTimeOffset>(13), row.GetInt32(14));
    }

    private static NpgsqlBatch Batch(DbContext database) =>
        new(
            (NpgsqlConnection)database.Database.GetDbConnection(),
            database.Database.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction
        );

    private static void Add(NpgsqlBatchCommand command, object? value, NpgsqlDbType? type = null)
    {
        var parameter = new NpgsqlParameter { Value = value ?? DBNull.Value };
        if (type is { } known)
            parameter.NpgsqlDbType = known;
        command.Parameters.Add(parameter);
    }
}
