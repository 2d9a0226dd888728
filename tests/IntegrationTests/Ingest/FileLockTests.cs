using Npgsql;
using Sagas.FileIntake.Storage;

namespace Sagas.IntegrationTests.Ingest;

/// <summary>One process reads a file at a time.</summary>
public sealed class FileLockTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task A_lock_that_fails_leaves_no_others_behind_in_the_pool()
    {
        await using var database = await IngestDatabase.CreateAsync(servers);
        // A statement that is cancelled does not end its session.
        await database.ExecuteAsync(
            """
            CREATE SCHEMA cancelled;
            CREATE FUNCTION cancelled.pg_try_advisory_lock(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) THEN
                    RAISE 'canceling statement due to user request' USING ERRCODE = 'query_canceled';
                END IF;
                RETURN pg_catalog.pg_try_advisory_lock($1, $2);
            END $$;
            """
        );
        await using var pool = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database.ConnectionString)
            {
                SearchPath = "cancelled,public,pg_catalog",
                NoResetOnClose = true,
            }
        );
        var (store, first) = (new FileStore(pool), Guid.NewGuid());

        Assert.NotNull(await store.TryLockAsync(first, CancellationToken.None));
        await Assert.ThrowsAsync<PostgresException>(() => store.TryLockAsync(Guid.NewGuid(), CancellationToken.None));

        Assert.NotNull(await database.Store.TryLockAsync(first, CancellationToken.None));
    }
}
