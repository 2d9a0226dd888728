using Npgsql;

namespace Sagas.Cli.Database;

/// <summary>A row of a result, read by column name.</summary>
/// <param name="reader">Stands on the row.</param>
internal readonly struct Row(NpgsqlDataReader reader)
{
    /// <summary>A value that is not null.</summary>
    public T Get<T>(string column) => reader.GetFieldValue<T>(reader.GetOrdinal(column));

    /// <summary>A text, or null.</summary>
    public string? Text(string column) => IsNull(column) ? null : Get<string>(column);

    /// <summary>A value, or null.</summary>
    public T? Maybe<T>(string column)
        where T : struct =>
        IsNull(column) ? null : Get<T>(column);

    private bool IsNull(string column) => reader.IsDBNull(reader.GetOrdinal(column));
}
