using Npgsql;
using Sagas.Cli.Database;

namespace Sagas.Cli.Objects;

/// <summary>An object seen online not long ago.</summary>
/// <param name="ObjectId">The object.</param>
/// <param name="LastSeen">When the status API last said that it is online.</param>
/// <param name="AgeMs">How long ago that is by the database's clock, milliseconds.</param>
internal sealed record ObjectRow(string ObjectId, DateTimeOffset LastSeen, long AgeMs)
{
    /// <summary>The objects seen last, these first.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<ObjectRow>> NewestAsync(SagasDatabase database, int limit, CancellationToken stop) =>
        database.QueryAsync(
            """
            SELECT object_id, last_seen, greatest(extract(epoch FROM now() - last_seen) * 1000, 0)::bigint AS age_ms
            FROM object_status ORDER BY last_seen DESC, object_id LIMIT $1
            """,
            row => new ObjectRow(row.Get<string>("object_id"), row.Get<DateTimeOffset>("last_seen"), row.Get<long>("age_ms")),
            stop,
            new NpgsqlParameter { Value = limit });
}
