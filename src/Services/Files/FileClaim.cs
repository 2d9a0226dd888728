using System.Buffers.Binary;
using Npgsql;

namespace Sagas.Services.Files;

/// <summary>The right to read a file alone, among all processes.</summary>
public sealed class FileClaim : IAsyncDisposable
{
    internal const string AdvisoryLock = "7230003";

    private readonly FileClaims _claims;

    internal FileClaim(FileClaims claims, NpgsqlConnection connection, int key) => (_claims, Connection, Key) = (claims, connection, key);

    internal NpgsqlConnection Connection { get; }

    internal int Key { get; }

    /// <summary>Lets others read the file.</summary>
    /// <returns>When they can.</returns>
    public ValueTask DisposeAsync() => _claims.ReleaseAsync(this);
}

/// <summary>
/// The claims of this process. One connection holds them all, for as long as there are any: a killed process leaves none behind, and many files
/// that are read side by side for hours do not use the pool up. When the connection breaks they are lost, and whoever was slower finds out
/// when saving progress.
/// </summary>
internal sealed class FileClaims(NpgsqlDataSource database)
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly HashSet<int> _held = [];
    private NpgsqlConnection? _connection;

    public async Task<FileClaim?> TryTakeAsync(Guid fileId, CancellationToken cancellationToken)
    {
        var key = KeyOf(fileId);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            // A connection gets its own locks as often as it asks.
            if (_held.Contains(key))
                return null;
            _connection ??= await database.OpenConnectionAsync(cancellationToken);
            if (!await AskAsync("pg_try_advisory_lock", key))
            {
                await CloseWhenIdleAsync();
                return null;
            }
            _held.Add(key);
            return new FileClaim(this, _connection, key);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            await LoseAsync();
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask ReleaseAsync(FileClaim claim)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            // A claim of a connection that is gone went with it.
            if (claim.Connection != _connection || !_held.Remove(claim.Key))
                return;
            // The connection goes back to the pool, where its locks would stay.
            await AskAsync("pg_advisory_unlock", claim.Key);
            await CloseWhenIdleAsync();
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            await LoseAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    // Two files of one number would only take turns.
    private static int KeyOf(Guid fileId)
    {
        Span<byte> bytes = stackalloc byte[16];
        fileId.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadInt32BigEndian(bytes[12..]);
    }

    private async Task<bool> AskAsync(string function, int key)
    {
        await using var command = new NpgsqlCommand($"SELECT {function}({FileClaim.AdvisoryLock}, {key})", _connection);
        return await command.ExecuteScalarAsync(CancellationToken.None) is true;
    }

    private ValueTask CloseWhenIdleAsync() => _held.Count == 0 ? LoseAsync() : ValueTask.CompletedTask;

    private async ValueTask LoseAsync()
    {
        _held.Clear();
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }
}
