using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.FileIntake.Storage;

/// <summary>The invalid rows of files: the table <c>file_reject</c>, and a CSV file for correction.</summary>
public sealed class RejectedRows(NpgsqlDataSource database)
{
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
                    Value = rows.Select(row => row.Column?.Replace('\0', '\uFFFD')).ToArray(),
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
                },
                new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(row => row.Reason)] },
                // Postgres cannot store U+0000.
                new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(row => row.Record.Replace('\0', '\uFFFD'))] },
            },
        };

    /// <summary>Writes the rejected rows of a file as CSV that a spreadsheet can open (<see cref="SpreadsheetText"/>), in their
    /// order, and returns their number.</summary>
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

    /// <summary>Writes the rejected rows of a file to another, as a whole or not at all; an earlier file is replaced.</summary>
    /// <param name="fileId">The file.</param>
    /// <param name="target">The CSV file.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>False when no row was rejected.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to write the file is missing.</exception>
    public async Task<bool> WriteFileAsync(Guid fileId, string target, CancellationToken cancellationToken)
    {
        // New, so that nothing is written through a link; renaming replaces a link.
        var unfinished = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(target))!, $".{Guid.NewGuid():N}.part");
        try
        {
            long rows;
            await using (var file = new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write))
                rows = await WriteAsync(fileId, file, cancellationToken);
            if (rows > 0)
                File.Move(unfinished, target, overwrite: true);
            return rows > 0;
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    private static string Quoted(string field)
    {
        field = SpreadsheetText.Guard(field);
        return field.AsSpan().IndexOfAny("\",\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
