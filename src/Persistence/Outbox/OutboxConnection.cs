using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>An open connection and the scope that it comes from.</summary>
internal sealed class OutboxConnection(AsyncServiceScope scope, NpgsqlConnection connection) : IAsyncDisposable
{
    public NpgsqlConnection Npgsql => connection;

    public ValueTask DisposeAsync() => scope.DisposeAsync();
}
