using Npgsql;

namespace Sagas.Cli.Database;

/// <summary>An object seen online not long ago.</summary>
/// <param name="ObjectId">The object.</param>
/// <param name="LastSeen">When the status API last said that it is online.</param>
/// <param name="AgeMs">How long ago that is by the database's clock, milliseconds.</param>
internal sealed record ObjectRow(string ObjectId, DateTimeOffset LastSeen, long AgeMs)
{
    /// <summary>The objects seen last, these first.</summary>
    public static Task<IReadOnlyList<ObjectRow>> NewestAsync(
        SagasDatabase database,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            """
            SELECT object_id, last_seen, greatest(extract(epoch FROM now() - last_seen) * 1000, 0)::bigint AS age_ms
            FROM object_status ORDER BY last_seen DESC, object_id LIMIT $1
            """,
            row => new ObjectRow(row.Get<string>("object_id"), row.Get<DateTimeOffset>("last_seen"), row.Get<long>("age_ms")),
            cancellationToken,
            new NpgsqlParameter { Value = limit }
        );
}
