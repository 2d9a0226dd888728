using Npgsql;
using Sagas.Configuration;
using Sagas.Host.Settings;

namespace Sagas.Host.Database;

/// <summary>
/// Refuses a connection pooler that gives each transaction another session of the server, as PgBouncer does in the modes
/// transaction and statement: the relay listens for notifications, and files are locked, for as long as a session lives.
/// </summary>
internal static class SessionCheck
{
    // A pooler may take its connections in turn, so that one look is not enough.
    private const int Rounds = 5;

    /// <exception cref="InvalidConfigurationException">The sessions of the connection string are not kept.</exception>
    public static async Task RunAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var first = await dataSource.OpenConnectionAsync(cancellationToken);
        // A pooler answers with a number of its own when a connection opens.
        if (first.ProcessID == await BackendAsync(first, cancellationToken))
            return;
        await using var second = await dataSource.OpenConnectionAsync(cancellationToken);
        for (var round = 0; round < Rounds; round++)
        {
            var before = await BackendAsync(first, cancellationToken);
            await using var transaction = await second.BeginTransactionAsync(cancellationToken);
            var held = await BackendAsync(second, cancellationToken);
            if (AreShared(before, held, held == before ? before : await BackendAsync(first, cancellationToken)))
                throw Shared();
        }
    }

    /// <summary>Whether sessions are shared by connections.</summary>
    /// <param name="before">The first connection's server process.</param>
    /// <param name="held">That of a second connection, which is in a transaction.</param>
    /// <param name="after">The first connection's, meanwhile.</param>
    internal static bool AreShared(int before, int held, int after) => held == before || after != before;

    // Each text once, so that it is never prepared.
    private static async Task<int> BackendAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT pg_backend_pid() /* {Guid.NewGuid():N} */", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static InvalidConfigurationException Shared() =>
        new([
            $"{DatabaseOptions.Section}:{nameof(DatabaseOptions.Postgres)} leads to a connection pooler that gives each "
                + "transaction another session, such as PgBouncer with pool_mode = transaction: name Postgres itself, "
                + "or set the pooler to pool_mode = session.",
        ]);
}
