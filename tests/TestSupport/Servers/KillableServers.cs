using Sagas.LocalServers;

namespace Sagas.TestSupport.Servers;

/// <summary>A Postgres and a RabbitMQ for tests that kill them. Its users run one after the other.</summary>
public sealed class KillableServers : ITestServers, IAsyncLifetime
{
    private readonly DatabaseTemplate _template;
    private PrivatePostgres? _postgres;
    private PrivateRabbitMq? _rabbitMq;

    /// <summary>Describes the servers; they start with the fixture.</summary>
    public KillableServers() => _template = new DatabaseTemplate(() => Task.FromResult(Postgres.ConnectionString), pooled: false);

    /// <summary>The database server.</summary>
    public PrivatePostgres Postgres => _postgres ?? throw new InvalidOperationException("PostgreSQL is not installed here.");

    /// <summary>The broker.</summary>
    public PrivateRabbitMq RabbitMq => _rabbitMq ?? throw new InvalidOperationException("RabbitMQ is not installed here.");

    /// <inheritdoc/>
    public Task<TestDatabase> CreateDatabaseAsync(string purpose = "test") => _template.CloneAsync(purpose);

    /// <inheritdoc/>
    public async Task<TestVirtualHost> CreateVirtualHostAsync(string purpose = "test")
    {
        var name = TestDatabase.UniqueName(purpose);
        return new(await RabbitMq.CreateVirtualHostAsync(name), () => RabbitMq.DeleteVirtualHostAsync(name));
    }

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        // Where servers were given instead of installed, the tests that need these are skipped.
        if (!PrivateServersFactAttribute.CanStart)
            return;
        var postgres = PrivatePostgres.StartAsync();
        // Without the management plugin, which takes a broker seconds of processor time to stop.
        _rabbitMq = await PrivateRabbitMq.StartAsync();
        _postgres = await postgres;
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (_rabbitMq is not null)
            await _rabbitMq.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
    }
}
