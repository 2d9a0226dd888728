using Npgsql;
using static Sagas.TestSupport.Servers.Broker;
using static Sagas.TestSupport.Servers.Postgres;

namespace Sagas.IntegrationTests;

public sealed class ServersFixtureTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    [Trait("Category", "Smoke")]
    public async Task Each_database_is_empty_and_is_dropped_even_while_it_is_used()
    {
        var first = await servers.CreateDatabaseAsync();
        await using var second = await servers.CreateDatabaseAsync();
        await QueryAsync<object>(first.ConnectionString, "CREATE TABLE mine (id int)");
        Assert.Equal(
            0,
            await QueryAsync<long>(second.ConnectionString, "SELECT count(*) FROM pg_tables WHERE tablename = 'mine'")
        );

        await using var user = new NpgsqlConnection(first.ConnectionString);
        await user.OpenAsync();
        await first.DisposeAsync();

        var error = await Assert.ThrowsAsync<PostgresException>(() => QueryAsync<int>(first.ConnectionString, "SELECT 1"));
        Assert.Equal(PostgresErrorCodes.InvalidCatalogName, error.SqlState);
    }

    [Fact]
    public async Task Each_virtual_host_has_its_own_queues()
    {
        await using var first = await servers.CreateVirtualHostAsync();
        await using var second = await servers.CreateVirtualHostAsync();
        await using var one = await ConnectAsync(first.Uri);
        await using var other = await ConnectAsync(second.Uri);
        await using var channel = await one.CreateChannelAsync();
        await using var otherChannel = await other.CreateChannelAsync();

        await channel.QueueDeclareAsync("mine", durable: true, exclusive: false, autoDelete: false);

        await Assert.ThrowsAnyAsync<Exception>(() => otherChannel.QueueDeclarePassiveAsync("mine"));
    }
}
