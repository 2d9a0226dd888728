using System.Security.Cryptography;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.Services.Files;

/// <summary>
/// The files that came in, in Postgres: each content once, with how far it has come. Progress is written by whoever does the rows, in
/// the transaction that does them: <see cref="SaveProgress"/>.
/// </summary>
/// <param name="database">The database.</param>
public sealed class FileRegister(NpgsqlDataSource database)
{
    private const string Columns = """
        f.file_id, f.kind, f.name, f.content_hash, f.path, f.length, f.state, f.reason, f.accepted_at, f.started_at, f.finished_at,
        coalesce(p.rows, 0)::bigint, coalesce(p.rejected, 0)::bigint, coalesce(p.added, 0)::bigint, coalesce(p.changed, 0)::bigint
        FROM file f CROSS JOIN LATERAL (
            SELECT sum(rows) AS rows, sum(rejected) AS rejected, sum(added) AS added, sum(changed) AS changed
            FROM file_progress WHERE file_id = f.file_id) p
        """;

    private readonly FileClaims _claims = new(database);

    /// <summary>Enters a file, or finds it when the same content came in before.</summary>
    /// <param name="kind">What its rows are; the same content may come in once for each kind.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="hash">Its <see cref="ContentHash"/>.</param>
    /// <param name="length">In bytes.</param>
    /// <param name="path">Where an upload is; null: somebody else looks after the file.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    /// <returns>The file, and whether it is new.</returns>
    public async Task<(RegisteredFile File, bool IsNew)> EnterAsync(
        string kind, string name, string hash, long length, string? path, CancellationToken cancellationToken)
    {
        await using var insert = database.CreateCommand(
            """
            INSERT INTO file (file_id, kind, name, content_hash, length, path, state) VALUES ($1, $2, $3, $4, $5, $6, 'waiting')
            ON CONFLICT (kind, content_hash) DO NOTHING
            """);
        insert.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = IdOf(kind, hash) });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = hash });
        insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = length });
        insert.Parameters.Add(new NpgsqlParameter { Value = (object?)path ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        var isNew = await insert.ExecuteNonQueryAsync(cancellationToken) == 1;
        return ((await FindAsync(IdOf(kind, hash), cancellationToken))!, isNew);
    }

    /// <summary>The id of a file, whether or not it came in.</summary>
    /// <param name="kind">What its rows are.</param>
    /// <param name="hash">Its <see cref="ContentHash"/>.</param>
    public static Guid IdOf(string kind, string hash) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}/{hash}")).AsSpan(0, 16), bigEndian: true);

    /// <summary>Finds a file by its id.</summary>
    /// <param name="fileId">The id.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    /// <returns>The file; null: there is none.</returns>
    public async Task<RegisteredFile?> FindAsync(Guid fileId, CancellationToken cancellationToken) =>
        (await ReadAsync("WHERE f.file_id = $1", cancellationToken, new NpgsqlParameter<Guid> { TypedValue = fileId })).FirstOrDefault();

    /// <summary>The uploads that are not finished, the first first.</summary>
    /// <param name="kind">What their rows are.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    public Task<IReadOnlyList<RegisteredFile>> OpenUploadsAsync(string kind, CancellationToken cancellationToken) => ReadAsync(
        "WHERE f.kind = $1 AND f.state IN ('waiting', 'running') AND f.path IS NOT NULL ORDER BY f.accepted_at",
        cancellationToken,
        new NpgsqlParameter<string> { TypedValue = kind });

    /// <summary>Notes where the content of an upload is now.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="path">Where it is; it waits to be read from there.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    public Task WaitAtAsync(Guid fileId, string path, CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE file SET path = $2, state = 'waiting', reason = NULL, finished_at = NULL WHERE file_id = $1 AND state <> 'done'",
        cancellationToken,
        new NpgsqlParameter<Guid> { TypedValue = fileId },
        new NpgsqlParameter<string> { TypedValue = path });

    /// <summary>Notes that a file is being read, and gives it lanes when it has none yet.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="lanes">How many lanes; a file that was begun before keeps those it has.</param>
    /// <param name="cancellationToken">Stops the statements.</param>
    /// <returns>How far each lane has come, by number.</returns>
    public async Task<IReadOnlyList<LaneProgress>> StartAsync(Guid fileId, int lanes, CancellationToken cancellationToken)
    {
        await ExecuteAsync(
            """
            UPDATE file SET state = 'running', reason = NULL, started_at = coalesce(started_at, clock_timestamp()), finished_at = NULL
            WHERE file_id = $1
            """,
            cancellationToken,
            new NpgsqlParameter<Guid> { TypedValue = fileId });
        await ExecuteAsync(
            """
            INSERT INTO file_progress (file_id, lane) SELECT $1, lane FROM generate_series(0, $2 - 1) lane
            WHERE NOT EXISTS (SELECT FROM file_progress WHERE file_id = $1)
            """,
            cancellationToken,
            new NpgsqlParameter<Guid> { TypedValue = fileId },
            new NpgsqlParameter<int> { TypedValue = lanes });
        await using var command = database.CreateCommand(
            "SELECT lane, next_offset, next_line, rows, rejected, added, changed FROM file_progress WHERE file_id = $1 ORDER BY lane");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = fileId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var progress = new List<LaneProgress>();
        while (await reader.ReadAsync(cancellationToken))
        {
            progress.Add(new LaneProgress(
                reader.GetInt32(0), new RecordPosition(reader.GetInt64(1), reader.GetInt64(2)),
                new FileCounts(reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6))));
        }
        return progress;
    }

    /// <summary>Notes how reading a file ended.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="state"><see cref="FileState.Done"/>, <see cref="FileState.Stopped"/> or <see cref="FileState.Refused"/>.</param>
    /// <param name="reason">Why it was stopped or refused.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    public Task FinishAsync(Guid fileId, FileState state, string? reason, CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE file SET state = $2, reason = $3, finished_at = clock_timestamp() WHERE file_id = $1 AND state <> 'done'",
        cancellationToken,
        new NpgsqlParameter<Guid> { TypedValue = fileId },
        new NpgsqlParameter<string> { TypedValue = Name(state) },
        new NpgsqlParameter { Value = (object?)reason ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });

    /// <summary>Makes the caller the only one who reads a file, among all processes, until it is disposed of or its process ends.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    /// <returns>The claim; null: another process is reading the file.</returns>
    public Task<FileClaim?> TryClaimAsync(Guid fileId, CancellationToken cancellationToken) =>
        _claims.TryTakeAsync(fileId, cancellationToken);

    /// <summary>The statement that moves a lane on. It belongs into the transaction that does the rows, and must change one row there:
    /// when it changes none, another process has got further, and the transaction must be given up.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="from">How far the lane had come before the rows.</param>
    /// <param name="to">How far it has come with them.</param>
    public static NpgsqlBatchCommand SaveProgress(Guid fileId, LaneProgress from, LaneProgress to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        return new NpgsqlBatchCommand(
            """
            UPDATE file_progress SET next_offset = $4, next_line = $5, rows = $6, rejected = $7, added = $8, changed = $9, updated_at = clock_timestamp()
            WHERE file_id = $1 AND lane = $2 AND next_offset = $3
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = fileId },
                new NpgsqlParameter<int> { TypedValue = to.Lane },
                new NpgsqlParameter<long> { TypedValue = from.Next.Offset },
                new NpgsqlParameter<long> { TypedValue = to.Next.Offset },
                new NpgsqlParameter<long> { TypedValue = to.Next.Line },
                new NpgsqlParameter<long> { TypedValue = to.Counts.Rows },
                new NpgsqlParameter<long> { TypedValue = to.Counts.Rejected },
                new NpgsqlParameter<long> { TypedValue = to.Counts.Added },
                new NpgsqlParameter<long> { TypedValue = to.Counts.Changed },
            },
        };
    }

    private static string Name(FileState state) => state.ToString().ToLowerInvariant();

    private async Task<IReadOnlyList<RegisteredFile>> ReadAsync(string where, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = database.CreateCommand($"SELECT {Columns} {where}");
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<RegisteredFile>();
        while (await reader.ReadAsync(cancellationToken))
        {
            files.Add(new RegisteredFile(
                reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.IsDBNull(4) ? null : reader.GetString(4),
                reader.GetInt64(5), Enum.Parse<FileState>(reader.GetString(6), ignoreCase: true), reader.IsDBNull(7) ? null : reader.GetString(7),
                reader.GetFieldValue<DateTimeOffset>(8), Time(9), Time(10),
                new FileCounts(reader.GetInt64(11), reader.GetInt64(12), reader.GetInt64(13), reader.GetInt64(14))));
        }
        return files;

        DateTimeOffset? Time(int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
