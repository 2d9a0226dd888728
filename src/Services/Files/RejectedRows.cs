using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.Services.Files;

/// <summary>The rows that were not taken: a table, and a file for whoever has to put them right.</summary>
/// <param name="database">The database.</param>
public sealed class RejectedRows(NpgsqlDataSource database)
{
    /// <summary>What the file is called: the name of the file that the rows come from, with this at its end instead of its own.</summary>
    public const string FileSuffix = ".rejects.csv";

    /// <summary>The statement that enters rows. It belongs into the transaction that saves the progress past them.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="rows">Its rows.</param>
    public static NpgsqlBatchCommand Insert(Guid fileId, IReadOnlyList<RejectedRow> rows) => new(
        """
        INSERT INTO file_reject (file_id, line, column_name, reason, record) SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[])
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = fileId },
            new NpgsqlParameter<long[]> { TypedValue = [.. rows.Select(row => row.Line)] },
            new NpgsqlParameter { Value = rows.Select(row => row.Column).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(row => row.Reason)] },
            // Postgres has no text with U+0000 in it.
            new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(row => row.Record.Replace('\0', '\uFFFD'))] },
        },
    };

    /// <summary>Where the file with the rejected rows of a file is.</summary>
    /// <param name="path">The file that they come from.</param>
    public static string PathFor(string path)
    {
        var name = Path.GetFileName(path);
        foreach (var ending in new[] { ".gz", ".csv", ".txt", ".tsv" })
        {
            if (name.EndsWith(ending, StringComparison.OrdinalIgnoreCase) && name.Length > ending.Length)
                name = name[..^ending.Length];
        }
        return Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name + FileSuffix);
    }

    /// <summary>Writes the rows of a file as CSV, in their order.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="target">Where to; it is not closed.</param>
    /// <param name="cancellationToken">Stops writing.</param>
    /// <returns>How many they are.</returns>
    public async Task<long> WriteAsync(Guid fileId, Stream target, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT line, column_name, reason, record FROM file_reject WHERE file_id = $1 ORDER BY line", connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = fileId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await using var writer = new StreamWriter(target, new UTF8Encoding(false), leaveOpen: true);
        await writer.WriteAsync("line,column,reason,record\r\n");
        var rows = 0L;
        for (; await reader.ReadAsync(cancellationToken); rows++)
        {
            var line = reader.GetInt64(0).ToString(CultureInfo.InvariantCulture);
            var column = reader.IsDBNull(1) ? "" : reader.GetString(1);
            await writer.WriteAsync($"{line},{Quoted(column)},{Quoted(reader.GetString(2))},{Quoted(reader.GetString(3))}\r\n");
        }
        return rows;
    }

    /// <summary>Writes the rows of a file beside it, when there are any; a file from before is replaced.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="path">The file that they come from: <see cref="PathFor"/> tells where they go.</param>
    /// <param name="cancellationToken">Stops writing; no half of a file is left.</param>
    /// <returns>Where they are; null: none were rejected.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be written.</exception>
    public async Task<string?> WriteBesideAsync(Guid fileId, string path, CancellationToken cancellationToken)
    {
        var target = PathFor(path);
        // A dot in front keeps it from whoever watches the folder.
        var unfinished = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.part");
        try
        {
            long rows;
            await using (var file = new FileStream(unfinished, FileMode.Create, FileAccess.Write))
                rows = await WriteAsync(fileId, file, cancellationToken);
            if (rows == 0)
                return null;
            File.Move(unfinished, target, overwrite: true);
            return target;
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    private static string Quoted(string field) =>
        field.AsSpan().IndexOfAny("\",\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
