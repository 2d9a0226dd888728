using Npgsql;
using Sagas.Persistence;
using Sagas.Services;

namespace Sagas.TestSupport.Servers;

/// <summary>A database that is migrated once. Tests get clones of it: cloning takes a fraction of the time.</summary>
/// <param name="server">Connection string of the server.</param>
/// <param name="pooled">False for a server that is restarted, which pooled connections do not survive.</param>
internal sealed class DatabaseTemplate(Func<Task<string>> server, bool pooled = true)
{
    private readonly Lazy<Task<string>> _name = new(async () => await MigrateAsync(await server(), pooled));

    public async Task<TestDatabase> CloneAsync(string purpose) =>
        await TestDatabase.CreateAsync(await server(), TestDatabase.UniqueName(purpose), await _name.Value, pooled);

    private static async Task<string> MigrateAsync(string server, bool pooled)
    {
        var template = await TestDatabase.CreateAsync(server, TestDatabase.UniqueName("template"), template: null, pooled);
        // Unpooled: a database with open connections cannot be cloned.
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(template.ConnectionString)
            {
                Pooling = false,
                Timeout = 180,
                CommandTimeout = 180,
            }.ConnectionString
        );
        await SchemaMigrator.MigrateAsync(source, Features.Product.Migrations);
        return template.Name;
    }
}
