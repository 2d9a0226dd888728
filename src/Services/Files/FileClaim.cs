using System.Buffers.Binary;
using MassTransit.EntityFrameworkCoreIntegration;
using Npgsql;

namespace Sagas.Services.Files;

/// <summary>The right to read a file alone. It ends with its connection, so a killed process leaves none behind.</summary>
public sealed class FileClaim : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly int _key;

    private FileClaim(NpgsqlConnection connection, int key) => (_connection, _key) = (connection, key);

    internal static async Task<FileClaim?> TryTakeAsync(NpgsqlDataSource database, Guid fileId, CancellationToken cancellationToken)
    {
        // Two files of one number would only take turns.
        Span<byte> bytes = stackalloc byte[16];
        fileId.TryWriteBytes(bytes, bigEndian: true, out _);
        var key = BinaryPrimitives.ReadInt32BigEndian(bytes[12..]);
        return await TryTakeAsync(database, key, cancellationToken);
    }

    /// <summary>Lets others read the file.</summary>
    /// <returns>When they can.</returns>
    public async ValueTask DisposeAsync()
    {
        try
        {
            // The connection goes back to the pool, where its locks would stay.
            await using var command = new NpgsqlCommand($"SELECT pg_advisory_unlock({AdvisoryLocks.File}, {_key})", _connection);
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            // It is broken, and the claim went with it.
        }
        await _connection.DisposeAsync();
    }

    private static async Task<FileClaim?> TryTakeAsync(NpgsqlDataSource database, int key, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand($"SELECT pg_try_advisory_lock({AdvisoryLocks.File}, {key})", connection);
            if (await command.ExecuteScalarAsync(cancellationToken) is true)
                return new FileClaim(connection, key);
            await connection.DisposeAsync();
            return null;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
