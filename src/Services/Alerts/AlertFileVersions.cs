using Npgsql;
using NpgsqlTypes;
using Sagas.FileIntake.Storage;

namespace Sagas.Services.Alerts;

/// <summary>
/// Recognises a longer version of a file: a file that begins with the same alerts, in the same order, as one that was read
/// before. Its table is <c>alert_file_rows</c>.
/// </summary>
internal sealed class AlertFileVersions(NpgsqlDataSource database, FileStore store, TimeProvider timeProvider)
{
    private static readonly TimeSpan _waitDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Where a file is: its alerts so far, and how many of its first alerts were sent before.</summary>
    /// <param name="file">The file, whose lock the caller holds.</param>
    /// <param name="open">Opens the file at its beginning.</param>
    /// <param name="isStarted">Whether rows of the file were entered.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Null for a file that has no alert, or was started by a version of the program without this table.</returns>
    public async Task<(AlertChain Chain, long SentBefore)?> StartAsync(
        Guid file,
        Func<AlertFileReader> open,
        bool isStarted,
        CancellationToken cancellationToken
    )
    {
        var own = await FindAsync(file, cancellationToken);
        if (own is { SentBefore: { } known })
            return (own.Chain, known);
        if (own is null)
        {
            if (isStarted || FirstOf(open) is not { } first)
                return null;
            own = await AddAsync(file, first, cancellationToken);
        }
        var sentBefore = await CountSentAsync(own, open, cancellationToken);
        await using var update = database.CreateCommand("UPDATE alert_file_rows SET sent_before = $2 WHERE file_id = $1");
        update.Parameters.Add(new() { Value = file });
        update.Parameters.Add(new() { Value = sentBefore });
        await update.ExecuteNonQueryAsync(cancellationToken);
        return (own.Chain, sentBefore);
    }

    /// <summary>The statement that saves the alerts so far, in the transaction that enters them.</summary>
    public static NpgsqlBatchCommand Save(Guid file, AlertChain chain) =>
        new(
            """
            UPDATE alert_file_rows SET rows = $2, rows_hash = $3, hash_before_last = $4, is_last_cut = $5 WHERE file_id = $1
            """
        )
        {
            Parameters =
            {
                new NpgsqlParameter { Value = file },
                new NpgsqlParameter { Value = chain.Rows },
                new NpgsqlParameter { Value = chain.Hash },
                new NpgsqlParameter { Value = chain.HashBeforeLast },
                new NpgsqlParameter { Value = chain.IsLastCut },
            },
        };

    private static byte[]? FirstOf(Func<AlertFileReader> open)
    {
        using var reader = open();
        while (reader.TryRead(out var row))
        {
            if (row.Alert is { } alert)
                return AlertChain.Empty.With(alert, isCut: false).Hash;
        }
        return null;
    }

    // Versions that are read at the same moment wait for each other, the later for the earlier.
    private async Task<Version> AddAsync(Guid file, byte[] first, CancellationToken cancellationToken)
    {
        await using var insert = database.CreateCommand(
            """
            INSERT INTO alert_file_rows (file_id, first_row, rows_hash, hash_before_last) VALUES ($1, $2, $3, $3)
            ON CONFLICT DO NOTHING
            """
        );
        insert.Parameters.Add(new() { Value = file });
        insert.Parameters.Add(new() { Value = first });
        insert.Parameters.Add(new() { Value = AlertChain.Empty.Hash });
        await insert.ExecuteNonQueryAsync(cancellationToken);
        return (await FindAsync(file, cancellationToken))!;
    }

    private async Task<long> CountSentAsync(Version own, Func<AlertFileReader> open, CancellationToken cancellationToken)
    {
        var others = new HashSet<Guid>();
        while (true)
        {
            var earlier = await EarlierAsync(own, cancellationToken);
            var matches = Match(open, earlier.Where(version => !others.Contains(version.File)));
            others.UnionWith(earlier.Where(version => version.Chain.Rows > 0).Select(version => version.File));
            others.ExceptWith(matches.Keys);
            var isRead = false;
            foreach (var version in earlier.Where(version => version.IsOpen && !others.Contains(version.File)))
                isRead |= await IsReadAsync(version.File, cancellationToken);
            if (!isRead)
                return matches.Values.DefaultIfEmpty(0).Max();
            // What it enters meanwhile must not be entered again.
            await Task.Delay(_waitDelay, timeProvider, cancellationToken);
        }
    }

    // How many alerts each of these has in common with the file, of those that the file begins with.
    private static Dictionary<Guid, long> Match(Func<AlertFileReader> open, IEnumerable<Version> versions)
    {
        var byRows = versions.Where(version => version.Chain.Rows > 0).ToLookup(version => version.Chain.Rows);
        var matches = new Dictionary<Guid, long>();
        var left = byRows.Sum(rows => rows.Count());
        using var reader = open();
        var chain = AlertChain.Empty;
        while (left > 0 && reader.TryRead(out var row))
        {
            if (row.Alert is not { } alert)
                continue;
            chain = chain.With(alert, isCut: false);
            foreach (var version in byRows[chain.Rows])
            {
                left--;
                if (version.Chain.Hash.AsSpan().SequenceEqual(chain.Hash))
                    matches[version.File] = chain.Rows;
                else if (version.Chain.IsLastCut && version.Chain.HashBeforeLast.AsSpan().SequenceEqual(chain.HashBeforeLast))
                    matches[version.File] = chain.Rows - 1;
            }
        }
        return matches;
    }

    private async Task<bool> IsReadAsync(Guid file, CancellationToken cancellationToken)
    {
        await using var free = await store.TryLockAsync(file, cancellationToken);
        return free is null;
    }

    private async Task<Version?> FindAsync(Guid file, CancellationToken cancellationToken) =>
        (await QueryAsync("WHERE v.file_id = $1", cancellationToken, new NpgsqlParameter { Value = file })).FirstOrDefault();

    private Task<IReadOnlyList<Version>> EarlierAsync(Version own, CancellationToken cancellationToken) =>
        QueryAsync(
            "WHERE v.first_row = $1 AND v.number < $2",
            cancellationToken,
            new NpgsqlParameter { Value = own.FirstRow, NpgsqlDbType = NpgsqlDbType.Bytea },
            new NpgsqlParameter { Value = own.Number }
        );

    private async Task<IReadOnlyList<Version>> QueryAsync(
        string where,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        await using var command = database.CreateCommand(
            $"""
            SELECT v.file_id, v.number, v.first_row, v.rows, v.rows_hash, v.hash_before_last, v.is_last_cut, v.sent_before,
                   f.state IN ('pending', 'running')
            FROM alert_file_rows v JOIN file f ON f.file_id = v.file_id {where}
            """
        );
        command.Parameters.AddRange(parameters);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var versions = new List<Version>();
        while (await row.ReadAsync(cancellationToken))
        {
            var chain = new AlertChain(
                row.GetInt64(3),
                row.GetFieldValue<byte[]>(4),
                row.GetFieldValue<byte[]>(5),
                row.GetBoolean(6)
            );
            long? sentBefore = await row.IsDBNullAsync(7, cancellationToken) ? null : row.GetInt64(7);
            versions.Add(
                new Version(row.GetGuid(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2), chain, sentBefore, row.GetBoolean(8))
            );
        }
        return versions;
    }

    private sealed record Version(Guid File, long Number, byte[] FirstRow, AlertChain Chain, long? SentBefore, bool IsOpen);
}
