using System.Text.Json;
using Npgsql;
using Sagas.Contracts;

namespace Sagas.Cli.Database;

/// <summary>A digest that was sent.</summary>
/// <param name="DigestId">Order of the digests.</param>
/// <param name="UserId">The recipient.</param>
/// <param name="SentAt">When it was committed.</param>
/// <param name="MessageId">The AlarmDigest.</param>
/// <param name="RequestId">The SendAlarmDigest.</param>
/// <param name="Alarms">The alarms in it.</param>
internal sealed record DigestRow(
    long DigestId,
    string UserId,
    DateTimeOffset SentAt,
    Guid MessageId,
    Guid? RequestId,
    IReadOnlyList<ActiveAlarm> Alarms
)
{
    /// <summary>A user's digests, the newest first.</summary>
    public static Task<IReadOnlyList<DigestRow>> OfUserAsync(
        SagasDatabase database,
        string userId,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync(
            "SELECT digest_id, user_id, sent_at, message_id, request_id, alarms::text FROM alarm_digest WHERE user_id = $1 "
                + "ORDER BY digest_id DESC LIMIT $2",
            row => new DigestRow(
                row.Get<long>("digest_id"),
                row.Get<string>("user_id"),
                row.Get<DateTimeOffset>("sent_at"),
                row.Get<Guid>("message_id"),
                row.GetNullable<Guid>("request_id"),
                JsonSerializer.Deserialize<ActiveAlarm[]>(row.Get<string>("alarms"))!
            ),
            cancellationToken,
            new NpgsqlParameter { Value = userId },
            new NpgsqlParameter { Value = limit }
        );
}
