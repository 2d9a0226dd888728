using Npgsql;
using Sagas.Contracts;
using Sagas.Services.Alarms;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>A migrated database, and alarms in it without services and broker.</summary>
internal sealed class AlarmDatabase : IAsyncDisposable
{
    private readonly TestDatabase _database;

    private AlarmDatabase(TestDatabase database)
    {
        _database = database;
        Source = NpgsqlDataSource.Create(database.ConnectionString + ";Max Auto Prepare=20;Auto Prepare Min Usages=2");
    }

    public NpgsqlDataSource Source { get; }

    public static async Task<AlarmDatabase> CreateAsync(ServersFixture servers)
    {
        var database = new AlarmDatabase(await servers.CreateDatabaseAsync("alarms"));
        return database;
    }

    /// <summary>Writes changes as one batch.</summary>
    public async Task WriteAsync(params AlarmChange[] changes)
    {
        await using var connection = await Source.OpenConnectionAsync();
        await AlarmRows.WriteAsync(connection, changes, CancellationToken.None);
    }

    /// <summary>Sends a user's digest, and commits.</summary>
    public async Task<ActiveAlarm[]> SendDigestAsync(string user)
    {
        await using var connection = await Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var alarms = await SendDigestAsync(connection, user);
        await transaction.CommitAsync();
        return alarms;
    }

    /// <summary>Sends a user's digest, in a transaction that is not committed yet.</summary>
    public static async Task<ActiveAlarm[]> SendDigestAsync(NpgsqlConnection connection, string user)
    {
        var (alarms, _) = await AlarmRows.TakeAsync(connection, user, Guid.Empty, CancellationToken.None);
        if (alarms.Length > 0)
            await AlarmRows.TellAsync(connection, new AlarmDigest(user, alarms), Guid.NewGuid(), null, CancellationToken.None);
        return alarms;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await _database.DisposeAsync();
    }
}
