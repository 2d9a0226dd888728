using Npgsql;

namespace Sagas.Cli.Database;

/// <summary>Why a target of calls receives none.</summary>
/// <param name="DisabledReason">The answer that disabled it; null: it is enabled.</param>
/// <param name="PausedReason">The answer that asked for a pause.</param>
/// <param name="PausedUntil">When the pause ends; null: there is none.</param>
internal sealed record EndpointRow(string? DisabledReason, string? PausedReason, DateTimeOffset? PausedUntil)
{
    /// <summary>Reads a target that is disabled or paused; null: it is neither.</summary>
    public static async Task<EndpointRow?> FindAsync(SagasDatabase database, string target, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            """
            SELECT disabled_reason, paused_reason, paused_until FROM rate_limit
            WHERE target = $1 AND (disabled_reason IS NOT NULL OR paused_until > now())
            """,
            row => new EndpointRow(
                row.Text("disabled_reason"),
                row.Text("paused_reason"),
                row.GetNullable<DateTimeOffset>("paused_until")
            ),
            cancellationToken,
            new NpgsqlParameter { Value = target }
        );
        return rows.FirstOrDefault();
    }
}
