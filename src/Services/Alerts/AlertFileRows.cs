using Npgsql;
using NpgsqlTypes;
using Sagas.Services.Files;
using Sagas.Services.Ledger;

namespace Sagas.Services.Alerts;

/// <summary>A file that this process may read on.</summary>
/// <param name="Id">The file.</param>
/// <param name="State">reading, entered or failed.</param>
/// <param name="IsMine">Whether this process is the one that reads it.</param>
/// <param name="From">Where to go on.</param>
/// <param name="Rows">Alerts entered so far.</param>
/// <param name="Rejected">Rows rejected so far.</param>
/// <param name="Reason">Why it failed.</param>
internal sealed record AlertFileClaim(Guid Id, string State, bool IsMine, RecordPosition From, long Rows, long Rejected, string? Reason);

/// <summary>What of a file is in the ledger and not delivered.</summary>
/// <param name="Ahead">Due now or in a moment.</param>
/// <param name="Undelivered">All, those that wait for another attempt included.</param>
internal readonly record struct OpenRows(int Ahead, int Undelivered);

/// <summary>The statements on files of alerts.</summary>
internal static class AlertFileRows
{
    /// <summary>What reads the rejected rows of a file, for <see cref="RejectedRows"/>.</summary>
    public const string SelectRejects = "SELECT line, NULL::text, reason, excerpt FROM alert_reject WHERE file_id = $1 ORDER BY line";

    private static readonly string _mode = nameof(LedgerMode.IdempotencyKey);

    // Long enough for a slow transaction, short enough for the files of a killed process to go on soon.
    private static readonly TimeSpan _lease = TimeSpan.FromSeconds(15);

    /// <summary>The name of a file's rows in the ledger.</summary>
    public static Guid IdOf(string hash) => new(Convert.FromHexString(hash).AsSpan(0, 16), bigEndian: true);

    /// <summary>A row's alert id: the same however often the row is read.</summary>
    public static string AlertId(Guid file, long line) => $"{file:N}-{line}";

    /// <summary>Finds a file's row or makes it, and takes its reading over when nobody else does it.</summary>
    public static async Task<AlertFileClaim> ClaimAsync(
        NpgsqlDataSource database, string hash, string name, long size, Guid reader, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            INSERT INTO alert_file AS f (file_id, content_hash, name, size, reader, reader_until) VALUES ($1, $2, $3, $4, $5, now() + $6)
            ON CONFLICT (content_hash) DO UPDATE SET
                reader = CASE WHEN f.reader IS NULL OR f.reader = $5 OR f.reader_until < now() THEN $5 ELSE f.reader END,
                reader_until = CASE WHEN f.reader IS NULL OR f.reader = $5 OR f.reader_until < now() THEN now() + $6 ELSE f.reader_until END
            RETURNING state, reader = $5, next_offset, next_line, rows, rejected, reason
            """);
        var id = IdOf(hash);
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = hash });
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = size });
        command.Parameters.Add(new() { Value = reader });
        command.Parameters.Add(new() { Value = _lease });
        await using var row = await command.ExecuteReaderAsync(cancellation);
        await row.ReadAsync(cancellation);
        return new(
            id, row.GetString(0), row.GetBoolean(1), new RecordPosition(row.GetInt64(2), row.GetInt64(3)), row.GetInt64(4), row.GetInt64(5),
            row.IsDBNull(6) ? null : row.GetString(6));
    }

    /// <summary>The state of a file by its content; null: it was never seen.</summary>
    public static async Task<string?> StateAsync(NpgsqlDataSource database, string hash, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("SELECT state FROM alert_file WHERE content_hash = $1");
        command.Parameters.Add(new() { Value = hash });
        return (string?)await command.ExecuteScalarAsync(cancellation);
    }

    /// <summary>Says that this process still reads a file, and looks how much of it is under way.</summary>
    /// <returns>Null: another process reads it now.</returns>
    public static async Task<OpenRows?> RenewAsync(NpgsqlDataSource database, Guid file, Guid reader, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            WITH mine AS (
                UPDATE alert_file SET reader_until = now() + $3 WHERE file_id = $1 AND reader = $2 AND reader_until < now() + $3 * 0.7)
            SELECT (SELECT count(*) FROM alert_file WHERE file_id = $1 AND reader = $2),
                   count(*) FILTER (WHERE due < now() + interval '2 s'), count(*)
            FROM ledger
            WHERE target = 'alert-webhook' AND correlation_id = $1 AND state IN ('waiting', 'in_flight')
            """);
        command.Parameters.Add(new() { Value = file });
        command.Parameters.Add(new() { Value = reader });
        command.Parameters.Add(new() { Value = _lease });
        await using var row = await command.ExecuteReaderAsync(cancellation);
        await row.ReadAsync(cancellation);
        return row.GetInt64(0) == 0 ? null : new OpenRows((int)row.GetInt64(1), (int)row.GetInt64(2));
    }

    /// <summary>Enters rows and moves the place to go on at past them, all in one transaction.</summary>
    /// <returns>False: another process reads the file now, or this one does from another copy; nothing was entered.</returns>
    public static async Task<bool> EnterAsync(
        NpgsqlDataSource database, Guid file, Guid reader, IReadOnlyList<AlertRow> rows, RecordPosition from, RecordPosition next, bool atEnd,
        CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var alerts = rows.Where(row => row.Alert is not null).ToArray();
        var rejects = rows.Where(row => row.Alert is null).ToArray();
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(Progress(file, reader, alerts.Length, rejects.Length, from, next, atEnd));
        if (alerts.Length > 0)
            batch.BatchCommands.Add(Alerts(file, alerts));
        if (rejects.Length > 0)
            batch.BatchCommands.Add(Rejects(file, rejects));
        await batch.ExecuteNonQueryAsync(cancellation);
        if (batch.BatchCommands[0].RecordsAffected == 0)
            return false;
        await transaction.CommitAsync(cancellation);
        return true;
    }

    /// <summary>A file cannot be read on.</summary>
    public static async Task FailAsync(NpgsqlDataSource database, Guid file, Guid reader, string reason, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            "UPDATE alert_file SET state = 'failed', reason = $3, reader = NULL, reader_until = NULL WHERE file_id = $1 AND reader = $2");
        command.Parameters.Add(new() { Value = file });
        command.Parameters.Add(new() { Value = reader });
        command.Parameters.Add(new() { Value = reason });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Lets others go on with a file at once.</summary>
    public static async Task LeaveAsync(NpgsqlDataSource database, Guid file, Guid reader, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            "UPDATE alert_file SET reader = NULL, reader_until = NULL WHERE file_id = $1 AND reader = $2");
        command.Parameters.Add(new() { Value = file });
        command.Parameters.Add(new() { Value = reader });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static NpgsqlBatchCommand Progress(Guid file, Guid reader, int entered, int rejected, RecordPosition from, RecordPosition next, bool atEnd) => new(
        """
        UPDATE alert_file SET rows = rows + $3, rejected = rejected + $4, next_offset = $5, next_line = $6, reader_until = now() + $7,
            state = CASE WHEN $8 THEN 'entered' ELSE 'reading' END, entered_at = CASE WHEN $8 THEN now() END
        WHERE file_id = $1 AND reader = $2 AND state = 'reading' AND next_offset = $9
        """)
    {
        Parameters =
        {
            new() { Value = file }, new() { Value = reader }, new() { Value = (long)entered }, new() { Value = (long)rejected },
            new() { Value = next.Offset }, new() { Value = next.Line }, new() { Value = _lease }, new() { Value = atEnd },
            new() { Value = from.Offset },
        },
    };

    private static NpgsqlBatchCommand Alerts(Guid file, AlertRow[] rows) => new(
        """
        INSERT INTO ledger (target, idempotency_key, state, mode, request, due, correlation_id)
        SELECT $1, a.key, 'waiting', $2, a.request::jsonb, now(), $3 FROM unnest($4, $5) AS a (key, request)
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters =
        {
            new() { Value = AlertReceiver.TargetName }, new() { Value = _mode }, new() { Value = file },
            new() { Value = Array.ConvertAll(rows, row => AlertId(file, row.Line)), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            new() { Value = Array.ConvertAll(rows, row => row.Alert!.ToJson()), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
        },
    };

    private static NpgsqlBatchCommand Rejects(Guid file, AlertRow[] rows) => new(
        """
        INSERT INTO alert_reject (file_id, line, reason, excerpt) SELECT $1, r.line, r.reason, r.excerpt FROM unnest($2, $3, $4) AS r (line, reason, excerpt)
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters =
        {
            new() { Value = file },
            new() { Value = Array.ConvertAll(rows, row => row.Line) },
            new() { Value = Array.ConvertAll(rows, row => row.Reason!) },
            new() { Value = Array.ConvertAll(rows, row => row.Excerpt!) },
        },
    };
}
