using System.Globalization;
using Npgsql;
using Sagas.Payments;

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
    public T? GetNullable<T>(string column)
        where T : struct => IsNull(column) ? null : Get<T>(column);

    /// <summary>An amount, with the decimals of its currency instead of the column's.</summary>
    public decimal Amount(string column, string currencyColumn) =>
        Currencies.Normalize(Get<decimal>(column), Get<string>(currencyColumn));

    /// <summary>A number of rows, which is a numeric in Postgres where it is a sum.</summary>
    public long Count(string column) => Convert.ToInt64(reader.GetValue(reader.GetOrdinal(column)), CultureInfo.InvariantCulture);

    private bool IsNull(string column) => reader.IsDBNull(reader.GetOrdinal(column));
}
