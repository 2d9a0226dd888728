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

    /// <summary>Enables a target that said it is gone (<see cref="CallOutcome.TargetGone"/>).</summary>
    /// <param name="database">The database.</param>
    /// <param name="target">The target's name.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>False: it was not disabled.</returns>
    public static async Task<bool> EnableAsync(NpgsqlDataSource database, string target, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        await using var command = database.CreateCommand(
            """
            UPDATE rate_limit SET disabled_at = NULL, disabled_reason = NULL, version = version + 1
            WHERE target = $1 AND disabled_at IS NOT NULL
            """
        );
        command.Parameters.Add(new() { Value = target });
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }
}
