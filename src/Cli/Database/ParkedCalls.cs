using NpgsqlTypes;

namespace Sagas.Cli.Database;

/// <summary>A call that was parked and is made again.</summary>
/// <param name="Target">The third party.</param>
/// <param name="Key">The call's name at the target.</param>
internal sealed record ReleasedCall(string Target, string Key);

/// <summary>Calls whose outcome only a person can find out.</summary>
internal static class ParkedCalls
{
    /// <summary>Makes parked calls due at once, but those to the CRM, which follow their customer; whatever else has a key is left
    /// as it is.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="keys">Keys of the calls; null: all that are parked.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<ReleasedCall>> ReleaseAsync(SagasDatabase database, string[]? keys, CancellationToken stop) =>
        database.QueryAsync(
            """
            UPDATE ledger SET state = 'waiting', due = now(), finished_at = NULL
            WHERE state = 'parked' AND target <> 'crm' AND ($1::text[] IS NULL OR idempotency_key = ANY ($1))
            RETURNING target, idempotency_key
            """,
            row => new ReleasedCall(row.Get<string>("target"), row.Get<string>("idempotency_key")),
            stop,
            new Npgsql.NpgsqlParameter { Value = (object?)keys ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
}
