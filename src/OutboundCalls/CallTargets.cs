using Npgsql;

namespace Sagas.OutboundCalls;

/// <summary>What operators do with targets.</summary>
public static class CallTargets
{
    /// <summary>Ends the pauses that targets asked for, in every process within a second, and makes the calls due that wait for
    /// their end.</summary>
    /// <param name="database">The database.</param>
    /// <param name="target">Only this target; null: each.</param>
    /// <param name="keys">Only targets that have a waiting or parked call with one of these keys; null: each.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The targets that were paused.</returns>
    public static async Task<IReadOnlyList<string>> ResumeAsync(
        NpgsqlDataSource database,
        string? target,
        IReadOnlyCollection<string>? keys,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(database);
        await using var command = database.CreateCommand(PauseStore.ResumeSql);
        command.Parameters.AddRange(PauseStore.ResumeParameters(target, keys));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var paused = new List<string>();
        while (await row.ReadAsync(cancellationToken))
            paused.Add(row.GetString(0));
        return paused;
    }

    /// <summary>Stops every process from claiming calls to a target, until <see cref="UnholdAsync"/>; calls that are claimed are
    /// made.</summary>
    /// <param name="database">The database.</param>
    /// <param name="target">The target's name.</param>
    /// <param name="by">Who does it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>False: it was stopped before.</returns>
    public static Task<bool> HoldAsync(
        NpgsqlDataSource database,
        string target,
        string by,
        CancellationToken cancellationToken
    ) =>
        ChangesAsync(
            database,
            """
            INSERT INTO rate_limit AS m (target, held_at, held_by) VALUES ($1, now(), $2)
            ON CONFLICT (target) DO UPDATE SET held_at = now(), held_by = $2, version = m.version + 1 WHERE m.held_at IS NULL
            """,
            cancellationToken,
            target,
            by
        );

    /// <summary>Lets the processes claim calls to a target again.</summary>
    /// <param name="database">The database.</param>
    /// <param name="target">The target's name.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>False: no operator had stopped it.</returns>
    public static Task<bool> UnholdAsync(NpgsqlDataSource database, string target, CancellationToken cancellationToken) =>
        ChangesAsync(
            database,
            """
            UPDATE rate_limit SET held_at = NULL, held_by = NULL, version = version + 1
            WHERE target = $1 AND held_at IS NOT NULL
            """,
            cancellationToken,
            target
        );

    /// <summary>Enables a target that said it is gone (<see cref="CallOutcome.TargetGone"/>).</summary>
    /// <param name="database">The database.</param>
    /// <param name="target">The target's name.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>False: it was not disabled.</returns>
    public static Task<bool> EnableAsync(NpgsqlDataSource database, string target, CancellationToken cancellationToken) =>
        ChangesAsync(
            database,
            """
            UPDATE rate_limit SET disabled_at = NULL, disabled_reason = NULL, version = version + 1
            WHERE target = $1 AND disabled_at IS NOT NULL
            """,
            cancellationToken,
            target
        );

    private static async Task<bool> ChangesAsync(
        NpgsqlDataSource database,
        string sql,
        CancellationToken cancellationToken,
        params string[] parameters
    )
    {
        ArgumentNullException.ThrowIfNull(database);
        await using var command = database.CreateCommand(sql);
        foreach (var value in parameters)
            command.Parameters.Add(new() { Value = value });
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }
}
