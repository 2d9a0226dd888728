namespace Sagas.TestSupport.Servers;

/// <summary>Where a test gets a database and a virtual host of its own.</summary>
public interface ITestServers
{
    /// <summary>A database with the product's schema, dropped when it is disposed of.</summary>
    Task<TestDatabase> CreateDatabaseAsync(string purpose = "test");

    /// <summary>An empty virtual host, deleted when it is disposed of.</summary>
    Task<TestVirtualHost> CreateVirtualHostAsync(string purpose = "test");
}
