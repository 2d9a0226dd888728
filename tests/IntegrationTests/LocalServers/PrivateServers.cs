using System.Net.Sockets;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Harness.LocalServers;

namespace Sagas.IntegrationTests.LocalServers;

/// <summary>Tests that start, stop and kill servers of their own: alone, after all others, since they take the whole machine.</summary>
[CollectionDefinition(Collection, DisableParallelization = true)]
public sealed class PrivateServers
{
    public const string Collection = "private servers";

    internal static CancellationToken Soon() => new CancellationTokenSource(Patience.Long).Token;

    internal static async Task<T?> QueryAsync<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T?)await command.ExecuteScalarAsync();
    }

    internal static Task<IConnection> ConnectAsync(Uri uri) =>
        new ConnectionFactory
        {
            Uri = uri,
            AutomaticRecoveryEnabled = false,
            HandshakeContinuationTimeout = Patience.Long,
            ContinuationTimeout = Patience.Long,
        }.CreateConnectionAsync();

    /// <summary>Whether the broker knows the address's virtual host.</summary>
    internal static async Task<bool> HasVirtualHostAsync(Uri uri)
    {
        // The client does not await the broker's answer to opening a connection; that to opening a channel it does.
        await using var connection = await ConnectAsync(uri);
        try
        {
            await using var channel = await connection.CreateChannelAsync();
            return true;
        }
        catch (RabbitMQClientException) when (connection.CloseReason?.ReplyCode == Constants.NotAllowed)
        {
            return false;
        }
    }

    internal static bool Listens(int port)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>A test that needs the programs of both servers. Where the tests were given servers to use, these may be missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PrivateServersFactAttribute : FactAttribute
{
    // Without servers given, tests are to fail where the programs are missing, and not to pass for skipped.
    internal static bool CanStart =>
        (PrivatePostgres.IsInstalled && PrivateRabbitMq.IsInstalled)
        || !(IsGiven("SAGAS_TEST_POSTGRES") && IsGiven("SAGAS_TEST_RABBITMQ"));

    public PrivateServersFactAttribute()
    {
        if (!CanStart)
            Skip = "starts PostgreSQL and RabbitMQ, which are not installed here";
    }

    private static bool IsGiven(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 };
}
