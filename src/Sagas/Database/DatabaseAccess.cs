using Npgsql;

namespace Sagas.Database;

/// <summary>What a database can be used for.</summary>
public static class DatabaseAccess
{
    /// <summary>Whether it takes writes: a standby answers too, and a role or database may be read-only by default.</summary>
    /// <param name="database">The database.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="NpgsqlException">The database does not answer.</exception>
    public static async Task<bool> IsWritableAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        await using var command = database.CreateCommand("SELECT current_setting('transaction_read_only') = 'off'");
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
