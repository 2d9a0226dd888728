namespace Sagas.IntegrationTests.CommandLine;

/// <summary>A command line with a database and a virtual host of its own, on which no services run.</summary>
public abstract class CommandLineTest(ServersFixture servers) : IAsyncLifetime
{
    private protected ServersFixture Servers => servers;

    private protected TestDatabase Database { get; private set; } = null!;

    private protected TestVirtualHost VirtualHost { get; private set; } = null!;

    private protected CommandLineRunner Runner { get; private set; } = null!;

    public virtual async Task InitializeAsync()
    {
        Database = await servers.CreateDatabaseAsync("cli");
        VirtualHost = await servers.CreateVirtualHostAsync("cli");
        Runner = new CommandLineRunner(Database.ConnectionString, VirtualHost.Uri);
    }

    public virtual async Task DisposeAsync()
    {
        await VirtualHost.DisposeAsync();
        await Database.DisposeAsync();
    }
}
