using System.Buffers.Binary;
using Npgsql;

namespace Sagas.FileIntake.Storage;

/// <summary>
/// The file locks of this process, all held by one connection: a killed process leaves no locks behind, and files that are
/// read in parallel for hours do not exhaust the pool. When the connection breaks, the locks are lost; the reader that falls
/// behind notices when it saves its progress.
/// </summary>
internal sealed class FileLocks(NpgsqlDataSource database)
{
    /// <summary>The first number of the advisory locks; the second is the file's.</summary>
    public const string AdvisoryLock = "7230003";

    private readonly SemaphoreSlim _turn = new(1);
    private readonly HashSet<int> _held = [];
    private NpgsqlConnection? _connection;

    public async Task<FileLock?> TryAcquireAsync(Guid fileId, CancellationToken cancellationToken)
    {
        var key = KeyOf(fileId);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            // Postgres grants a connection its own lock again.
            if (_held.Contains(key))
                return null;
            _connection ??= await database.OpenConnectionAsync(cancellationToken);
            if (!await CallAsync("pg_try_advisory_lock", key))
            {
                await CloseWhenIdleAsync();
                return null;
            }
            _held.Add(key);
            return new FileLock(this, _connection, key);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            await GiveUpAsync();
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask ReleaseAsync(FileLock fileLock)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            // The locks of a broken connection were lost with it.
            if (fileLock.Connection != _connection || !_held.Remove(fileLock.Key))
                return;
            // A pooled connection would keep its locks.
            await CallAsync("pg_advisory_unlock", fileLock.Key);
            await CloseWhenIdleAsync();
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            await GiveUpAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    // Files whose numbers collide are only read one after the other.
    private static int KeyOf(Guid fileId)
    {
        Span<byte> bytes = stackalloc byte[16];
        fileId.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadInt32BigEndian(bytes[12..]);
    }

    private async Task<bool> CallAsync(string function, int key)
    {
        await using var command = new NpgsqlCommand($"SELECT {function}({AdvisoryLock}, {key})", _connection);
        return await command.ExecuteScalarAsync(CancellationToken.None) is true;
    }

    private ValueTask CloseWhenIdleAsync() => _held.Count == 0 ? CloseAsync() : ValueTask.CompletedTask;

    // Only a statement failed, perhaps: the session must not take its locks along into the pool.
    private async ValueTask GiveUpAsync()
    {
        try
        {
            await using var unlock = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", _connection);
            await unlock.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            // The locks were lost with the session.
        }
        await CloseAsync();
    }

    private async ValueTask CloseAsync()
    {
        _held.Clear();
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }
}
