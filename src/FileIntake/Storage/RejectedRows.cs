using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.FileIntake.Storage;

/// <summary>The invalid rows of files: the table <c>file_reject</c>, and a CSV file for correction.</summary>
public sealed class RejectedRows(NpgsqlDataSource database)
{
    /// <summary>The ending of the CSV file's name, which is that of the rows' file otherwise.</summary>
    public const string FileSuffix = ".rejects.csv";

    /// <summary>The statement that inserts rows. It belongs to the transaction that saves the progress past them.</summary>
    public static NpgsqlBatchCommand Insert(Guid fileId, IReadOnlyList<RejectedRow> rows) =>
        new(
            """
            INSERT INTO file_reject (file_id, line, column_name, reason, record)
            SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[])
            ON CONFLICT DO NOTHING
            """
        )
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = fileId },
                new NpgsqlParameter<long[]> { TypedValue = [.. rows.Select(row => row.Line)] },
                new NpgsqlParameter
                {
                    Value = rows.Select(row => row.Column).ToArray(),
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
                },
                new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(row => row.Reason)] },
                // Postgres cannot store U+0000.
                new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(row => row.Record.Replace('\0', '\uFFFD'))] },
            },
        };

    /// <summary>The path of the CSV file for the rejected rows of a file.</summary>
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

    /// <summary>Writes the rejected rows of a file as CSV, in their order, and returns their number.</summary>
    public async Task<long> WriteAsync(Guid fileId, Stream target, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            "SELECT line, column_name, reason, record FROM file_reject WHERE file_id = $1 ORDER BY line",
            connection
        );
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

    /// <summary>Writes the rejected rows of a file to <see cref="PathFor"/>, as a whole or not at all; an earlier file is
    /// replaced.</summary>
    /// <returns>The path; null when no row was rejected.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to write the file is missing.</exception>
    public async Task<string?> WriteBesideAsync(Guid fileId, string path, CancellationToken cancellationToken)
    {
        var target = PathFor(path);
        // Watched folders ignore names that start with a dot.
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
