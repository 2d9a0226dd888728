using Npgsql;

namespace Sagas.TestSupport.Servers;

/// <summary>Postgres as other systems use it.</summary>
public static class Postgres
{
    /// <summary>The first column of a query's first row, read over a connection of its own.</summary>
    public static async Task<T?> QueryAsync<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T?)await command.ExecuteScalarAsync();
    }
}
