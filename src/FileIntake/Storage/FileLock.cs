using Npgsql;

namespace Sagas.FileIntake.Storage;

/// <summary>The exclusive right, among all processes, to read a file. Disposing releases it.</summary>
public sealed class FileLock : IAsyncDisposable
{
    private readonly FileLocks _locks;

    internal FileLock(FileLocks locks, NpgsqlConnection connection, int key) =>
        (_locks, Connection, Key) = (locks, connection, key);

    internal NpgsqlConnection Connection { get; }

    internal int Key { get; }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _locks.ReleaseAsync(this);
}
