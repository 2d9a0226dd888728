using System.Security.Cryptography;
using System.Text;
using Npgsql;
using NpgsqlTypes;
using Sagas.FileIntake.Records;

namespace Sagas.FileIntake.Storage;

/// <summary>
/// The tables <c>file</c> and <c>file_progress</c>: each content once, with its progress. A row handler saves progress in the
/// transaction that processes the rows: <see cref="SaveProgress"/>.
/// </summary>
public sealed class FileStore(NpgsqlDataSource database)
{
    private const string Columns = """
        f.file_id, f.kind, f.name, f.content_hash, f.path, f.length, f.state, f.reason,
        f.accepted_at, f.started_at, f.finished_at,
        coalesce(p.rows, 0)::bigint, coalesce(p.rejected, 0)::bigint, coalesce(p.added, 0)::bigint, coalesce(p.changed, 0)::bigint
        FROM file f CROSS JOIN LATERAL (
            SELECT sum(rows) AS rows, sum(rejected) AS rejected, sum(added) AS added, sum(changed) AS changed
            FROM file_progress WHERE file_id = f.file_id) p
        """;

    private readonly FileLocks _locks = new(database);

    /// <summary>Adds a file, or finds it when the same content was submitted before.</summary>
    /// <param name="kind">What its rows are; the same content may be submitted once for each kind.</param>
    /// <param name="name">Its name.</param>
    /// <param name="hash">Its <see cref="ContentHash"/>.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="path">The path of an upload; null for a file that its submitter keeps.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The file, and whether it is new.</returns>
    public async Task<(IncomingFile File, bool IsNew)> AddAsync(
        string kind,
        string name,
        string hash,
        long length,
        string? path,
        CancellationToken cancellationToken
    )
    {
        // ON CONFLICT names no constraint: there are two, and concurrent submitters may conflict on either.
        await using var insert = database.CreateCommand(
            """
            INSERT INTO file (file_id, kind, name, content_hash, length, path, state) VALUES ($1, $2, $3, $4, $5, $6, 'pending')
            ON CONFLICT DO NOTHING
            """
        );
        insert.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = IdOf(kind, hash) });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = hash });
        insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = length });
        insert.Parameters.Add(new NpgsqlParameter { Value = (object?)path ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        var isNew = await insert.ExecuteNonQueryAsync(cancellationToken) == 1;
        return ((await FindAsync(IdOf(kind, hash), cancellationToken))!, isNew);
    }

    /// <summary>The id of a file with this content.</summary>
    public static Guid IdOf(string kind, string hash) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}/{hash}")).AsSpan(0, 16), bigEndian: true);

    /// <summary>Finds a file by its id.</summary>
    public async Task<IncomingFile?> FindAsync(Guid fileId, CancellationToken cancellationToken) =>
        (
            await ReadAsync("WHERE f.file_id = $1", cancellationToken, new NpgsqlParameter<Guid> { TypedValue = fileId })
        ).FirstOrDefault();

    /// <summary>The uploads of a kind that are pending or running, the oldest first.</summary>
    public Task<IReadOnlyList<IncomingFile>> OpenUploadsAsync(string kind, CancellationToken cancellationToken) =>
        ReadAsync(
            "WHERE f.kind = $1 AND f.state IN ('pending', 'running') AND f.path IS NOT NULL ORDER BY f.accepted_at",
            cancellationToken,
            new NpgsqlParameter<string> { TypedValue = kind }
        );

    /// <summary>Makes a file that is not completed pending again, to be read from a path.</summary>
    public Task ResubmitAsync(Guid fileId, string path, CancellationToken cancellationToken) =>
        ExecuteAsync(
            """
            UPDATE file SET path = $2, state = 'pending', reason = NULL, finished_at = NULL
            WHERE file_id = $1 AND state <> 'completed'
            """,
            cancellationToken,
            new NpgsqlParameter<Guid> { TypedValue = fileId },
            new NpgsqlParameter<string> { TypedValue = path }
        );

    /// <summary>Marks a file as running, and creates its partitions when it has none yet.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="partitions">How many partitions; a file that was started before keeps those it has.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The progress of each partition, by number.</returns>
    public async Task<IReadOnlyList<PartitionProgress>> StartAsync(
        Guid fileId,
        int partitions,
        CancellationToken cancellationToken
    )
    {
        await ExecuteAsync(
            """
            UPDATE file
            SET state = 'running', reason = NULL, started_at = coalesce(started_at, clock_timestamp()), finished_at = NULL
            WHERE file_id = $1
            """,
            cancellationToken,
            new NpgsqlParameter<Guid> { TypedValue = fileId }
        );
        await ExecuteAsync(
            """
            INSERT INTO file_progress (file_id, partition) SELECT $1, number FROM generate_series(0, $2 - 1) number
            WHERE NOT EXISTS (SELECT FROM file_progress WHERE file_id = $1)
            """,
            cancellationToken,
            new NpgsqlParameter<Guid> { TypedValue = fileId },
            new NpgsqlParameter<int> { TypedValue = partitions }
        );
        return await ReadProgressAsync(fileId, cancellationToken);
    }

    /// <summary>Records how reading a file ended.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="state"><see cref="FileState.Completed"/>, <see cref="FileState.Failed"/> or <see
    /// cref="FileState.Invalid"/>.</param>
    /// <param name="reason">Why it failed or is invalid.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task FinishAsync(Guid fileId, FileState state, string? reason, CancellationToken cancellationToken) =>
        ExecuteAsync(
            """
            UPDATE file SET state = $2, reason = $3, finished_at = clock_timestamp()
            WHERE file_id = $1 AND state <> 'completed'
            """,
            cancellationToken,
            new NpgsqlParameter<Guid> { TypedValue = fileId },
            new NpgsqlParameter<string> { TypedValue = state.ToString().ToLowerInvariant() },
            // Postgres cannot store U+0000.
            new NpgsqlParameter
            {
                Value = (object?)reason?.Replace('\0', '\uFFFD') ?? DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.Text,
            }
        );

    /// <summary>Locks a file, among all processes, until the lock is disposed or the process ends.</summary>
    /// <returns>The lock; null when the file is locked already.</returns>
    public Task<FileLock?> TryLockAsync(Guid fileId, CancellationToken cancellationToken) =>
        _locks.TryAcquireAsync(fileId, cancellationToken);

    /// <summary>The statement that moves a partition forward. It belongs to the transaction that processes the rows.
    /// <see cref="ThrowIfTakenOver"/> checks it before the commit.</summary>
    public static NpgsqlBatchCommand SaveProgress(Guid fileId, PartitionProgress from, PartitionProgress to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        return new NpgsqlBatchCommand(
            """
            UPDATE file_progress
            SET next_offset = $4, next_line = $5, rows = $6, rejected = $7, added = $8, changed = $9,
                updated_at = clock_timestamp()
            WHERE file_id = $1 AND partition = $2 AND next_offset = $3
            """
        )
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = fileId },
                new NpgsqlParameter<int> { TypedValue = to.Partition },
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

    /// <summary>Checks that an executed <see cref="SaveProgress"/> moved the partition.</summary>
    /// <exception cref="FileTakenOverException">Another process is further; the transaction must be rolled back.</exception>
    public static void ThrowIfTakenOver(NpgsqlBatchCommand saveProgress)
    {
        ArgumentNullException.ThrowIfNull(saveProgress);
        if (saveProgress.RecordsAffected != 1)
            throw new FileTakenOverException();
    }

    private async Task<IReadOnlyList<PartitionProgress>> ReadProgressAsync(Guid fileId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT partition, next_offset, next_line, rows, rejected, added, changed
            FROM file_progress WHERE file_id = $1 ORDER BY partition
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = fileId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var progress = new List<PartitionProgress>();
        while (await reader.ReadAsync(cancellationToken))
        {
            progress.Add(
                new PartitionProgress(
                    reader.GetInt32(0),
                    new RecordPosition(reader.GetInt64(1), reader.GetInt64(2)),
                    new FileCounts(reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6))
                )
            );
        }
        return progress;
    }

    private async Task<IReadOnlyList<IncomingFile>> ReadAsync(
        string where,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        await using var command = database.CreateCommand($"SELECT {Columns} {where}");
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<IncomingFile>();
        while (await reader.ReadAsync(cancellationToken))
        {
            files.Add(
                new IncomingFile(
                    reader.GetGuid(0),
                    reader.GetString(1),
                    reader.GetString(2),
                    reader.GetString(3),
                    Text(4),
                    reader.GetInt64(5),
                    Enum.Parse<FileState>(reader.GetString(6), ignoreCase: true),
                    Text(7),
                    reader.GetFieldValue<DateTimeOffset>(8),
                    Time(9),
                    Time(10),
                    new FileCounts(reader.GetInt64(11), reader.GetInt64(12), reader.GetInt64(13), reader.GetInt64(14))
                )
            );
        }
        return files;

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

        DateTimeOffset? Time(int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
