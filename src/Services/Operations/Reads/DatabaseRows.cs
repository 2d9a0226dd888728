using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.Services.Operations.Reads;

/// <summary>Reads rows for pages and API.</summary>
internal static class DatabaseRows
{
    // A page waits no longer: an operator would rather hear that something is slow.
    private const int TimeoutSeconds = 5;

    public static async Task<IReadOnlyList<T>> RowsAsync<T>(
        this NpgsqlDataSource database,
        string sql,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken,
        params object?[] parameters
    )
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = TimeoutSeconds;
        foreach (var value in parameters)
            command.Parameters.Add(Parameter(value));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }

    public static async Task<T?> RowAsync<T>(
        this NpgsqlDataSource database,
        string sql,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken,
        params object?[] parameters
    ) => (await database.RowsAsync(sql, read, cancellationToken, parameters)).FirstOrDefault();

    public static string Text(this NpgsqlDataReader reader, string column) => reader.GetString(reader.GetOrdinal(column));

    public static string? OptionalText(this NpgsqlDataReader reader, string column) =>
        reader.IsDBNull(reader.GetOrdinal(column)) ? null : reader.Text(column);

    public static DateTimeOffset Time(this NpgsqlDataReader reader, string column) =>
        reader.GetFieldValue<DateTimeOffset>(reader.GetOrdinal(column));

    public static DateTimeOffset? OptionalTime(this NpgsqlDataReader reader, string column) =>
        reader.IsDBNull(reader.GetOrdinal(column)) ? null : reader.Time(column);

    public static int Int(this NpgsqlDataReader reader, string column) => reader.GetInt32(reader.GetOrdinal(column));

    public static long Long(this NpgsqlDataReader reader, string column) =>
        Convert.ToInt64(reader.GetValue(reader.GetOrdinal(column)), CultureInfo.InvariantCulture);

    public static Guid Id(this NpgsqlDataReader reader, string column) => reader.GetGuid(reader.GetOrdinal(column));

    public static Guid? OptionalId(this NpgsqlDataReader reader, string column) =>
        reader.IsDBNull(reader.GetOrdinal(column)) ? null : reader.Id(column);

    public static bool Flag(this NpgsqlDataReader reader, string column) => reader.GetBoolean(reader.GetOrdinal(column));

    private static NpgsqlParameter Parameter(object? value) =>
        value switch
        {
            null => new() { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Unknown },
            _ => new() { Value = value },
        };
}
