using Npgsql;

namespace Sagas.OutboundCalls;

/// <summary>What operators do with targets.</summary>
public static class CallTargets
{
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
