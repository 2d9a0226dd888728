using Npgsql;

namespace Sagas.Services.Operations.Audit;

/// <summary>An entry of the audit.</summary>
/// <param name="Id">Its place, a string since it may exceed 2^53.</param>
/// <param name="OccurredAt">When.</param>
/// <param name="Actor">The name of the key.</param>
/// <param name="Action">What was done.</param>
/// <param name="Subject">To what: kind and id.</param>
/// <param name="Result">What came of it.</param>
public sealed record AuditEntry(string Id, DateTimeOffset OccurredAt, string Actor, string Action, string Subject, string Result);

/// <summary>Who did what to which thing.</summary>
public sealed class AuditLog(NpgsqlDataSource database)
{
    /// <summary>Adds an entry.</summary>
    public async Task WriteAsync(string actor, string action, string subject, string result, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "INSERT INTO operator_action (actor, action, subject, result) VALUES ($1, $2, $3, $4)"
        );
        command.Parameters.Add(new() { Value = actor });
        command.Parameters.Add(new() { Value = action });
        command.Parameters.Add(new() { Value = subject });
        command.Parameters.Add(new() { Value = result });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The newest entries.</summary>
    /// <param name="subject">Only of this thing; null: of all.</param>
    /// <param name="before">Only those before this entry.</param>
    /// <param name="limit">At most this many.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyList<AuditEntry>> ReadAsync(
        string? subject,
        long? before,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            """
            SELECT id, occurred_at, actor, action, subject, result FROM operator_action
            WHERE ($1::text IS NULL OR subject = $1) AND id < coalesce($2, 9223372036854775807) ORDER BY id DESC LIMIT $3
            """
        );
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = subject });
        command.Parameters.Add(new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = limit });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var entries = new List<AuditEntry>();
        while (await row.ReadAsync(cancellationToken))
        {
            entries.Add(
                new(
                    row.GetInt64(0).ToString(System.Globalization.CultureInfo.InvariantCulture),
                    row.GetFieldValue<DateTimeOffset>(1),
                    row.GetString(2),
                    row.GetString(3),
                    row.GetString(4),
                    row.GetString(5)
                )
            );
        }

        return entries;
    }
}
