using Npgsql;
using Sagas.Persistence;
using Sagas.Services;

namespace Sagas.TestSupport.Servers;

/// <summary>A database that is migrated once. Tests get clones of it: cloning takes a fraction of the time.</summary>
/// <param name="server">Connection string of the server.</param>
internal sealed class DatabaseTemplate(Func<Task<string>> server)
{
    private readonly Lazy<Task<string>> _name = new(async () => await MigrateAsync(await server()));

    public async Task<TestDatabase> CloneAsync(string purpose) =>
        await TestDatabase.CreateAsync(await server(), TestDatabase.UniqueName(purpose), await _name.Value);

    private static async Task<string> MigrateAsync(string server)
    {
        var template = await TestDatabase.CreateAsync(server, TestDatabase.UniqueName("template"), template: null);
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
