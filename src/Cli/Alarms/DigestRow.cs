using System.Text.Json;
using Npgsql;
using Sagas.Cli.Database;
using Sagas.Contracts;

namespace Sagas.Cli.Alarms;

/// <summary>A digest that was sent.</summary>
/// <param name="DigestId">Order of the digests.</param>
/// <param name="UserId">To whom.</param>
/// <param name="SentAt">When it was committed with what it told.</param>
/// <param name="MessageId">The AlarmDigest.</param>
/// <param name="RequestId">The SendAlarmDigest.</param>
/// <param name="Alarms">What it told.</param>
internal sealed record DigestRow(
    long DigestId, string UserId, DateTimeOffset SentAt, Guid MessageId, Guid? RequestId, IReadOnlyList<ActiveAlarm> Alarms)
{
    /// <summary>A user's digests, the newest first.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="userId">The user.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<IReadOnlyList<DigestRow>> OfUserAsync(SagasDatabase database, string userId, int limit, CancellationToken stop) =>
        database.QueryAsync(
            "SELECT digest_id, user_id, sent_at, message_id, request_id, alarms::text FROM alarm_digest WHERE user_id = $1 ORDER BY digest_id DESC LIMIT $2",
            row => new DigestRow(
                row.Get<long>("digest_id"),
                row.Get<string>("user_id"),
                row.Get<DateTimeOffset>("sent_at"),
                row.Get<Guid>("message_id"),
                row.Maybe<Guid>("request_id"),
                JsonSerializer.Deserialize<ActiveAlarm[]>(row.Get<string>("alarms"))!),
            stop,
            new NpgsqlParameter { Value = userId },
            new NpgsqlParameter { Value = limit });
}
