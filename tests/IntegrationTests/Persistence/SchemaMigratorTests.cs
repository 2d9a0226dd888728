using System.Reflection;
using System.Text;
using Npgsql;
using Sagas.Persistence;
using Sagas.Services;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>Each migration is applied once, completely or not at all, by any number of processes.</summary>
public sealed class SchemaMigratorTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private TestDatabase _database = null!;
    private NpgsqlDataSource _source = null!;

    public async Task InitializeAsync()
    {
        _database = await servers.CreateEmptyDatabaseAsync("migrator");
        _source = NpgsqlDataSource.Create(_database.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await _source.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Ten_processes_that_start_at_once_apply_each_file_once()
    {
        var applied = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(_ => SchemaMigrator.MigrateAsync(_source, Features.Product.Migrations))
        );

        var names = Assert.Single(applied, names => names.Count > 0);
        Assert.Equal(Features.Product.Migrations.Select(migration => migration.Version), names);
        Assert.Empty(await SchemaMigrator.MigrateAsync(_source, Features.Product.Migrations));
        Assert.Equal(Features.Product.Migrations.Count, await CountAsync("schema_migration"));
    }

    [Fact]
    public async Task Files_are_applied_in_order_and_later_ones_are_added()
    {
        var first = Files(("001_one.sql", "CREATE TABLE one (id int)"), ("notes.txt", "Not SQL."));
        var both = Files(
            ("010_three.sql", "INSERT INTO one SELECT id FROM two"),
            ("002_two.sql", "CREATE TABLE two AS SELECT 2 AS id"),
            ("001_one.sql", "CREATE TABLE one (id int)")
        );

        Assert.Equal(["001_one"], await SchemaMigrator.MigrateAsync(_source, first));
        Assert.Equal(["002_two", "010_three"], await SchemaMigrator.MigrateAsync(_source, both));
        Assert.Equal(1, await CountAsync("one"));
    }

    [Fact]
    public async Task A_file_changed_after_it_was_applied_is_rejected()
    {
        await SchemaMigrator.MigrateAsync(_source, Files(("001_one.sql", "CREATE TABLE one (id int)")));
        var changed = Files(("001_one.sql", "CREATE TABLE one (id bigint)"), ("002_two.sql", "CREATE TABLE two (id int)"));

        var error = await Assert.ThrowsAsync<SchemaMigrationException>(() => SchemaMigrator.MigrateAsync(_source, changed));

        Assert.Equal("Migration 001_one was applied and then changed; put the change into a new file.", error.Message);
        await Assert.ThrowsAsync<PostgresException>(() => CountAsync("two"));
    }

    [Fact]
    public async Task Line_endings_are_no_change()
    {
        await SchemaMigrator.MigrateAsync(_source, Files(("001_one.sql", "CREATE TABLE one (\n  id int)\n")));
        Assert.Empty(await SchemaMigrator.MigrateAsync(_source, Files(("001_one.sql", "CREATE TABLE one (\r\n  id int)\r\n"))));
    }

    [Fact]
    public async Task A_file_that_fails_leaves_nothing_and_can_be_corrected()
    {
        var failing = Files(
            ("001_one.sql", "CREATE TABLE one (id int)"),
            ("002_two.sql", "CREATE TABLE two (id int); SELECT 1 / 0")
        );

        await Assert.ThrowsAsync<PostgresException>(() => SchemaMigrator.MigrateAsync(_source, failing));

        foreach (var table in new[] { "one", "two", "schema_migration" })
            await Assert.ThrowsAsync<PostgresException>(() => CountAsync(table));
        var corrected = Files(("001_one.sql", "CREATE TABLE one (id int)"), ("002_two.sql", "CREATE TABLE two (id int)"));
        Assert.Equal(["001_one", "002_two"], await SchemaMigrator.MigrateAsync(_source, corrected));
    }

    // Since Postgres 15, only a database's owner creates tables in the schema public.
    [Fact]
    public async Task A_role_that_may_not_create_tables_is_told_what_to_change()
    {
        var role = _database.Name;
        await ExecuteAsync($"CREATE ROLE \"{role}\" LOGIN PASSWORD 'poor'; REVOKE CREATE ON SCHEMA public FROM public");
        try
        {
            var error = await FailureAsync(settings => (settings.Username, settings.Password) = (role, "poor"));

            Assert.StartsWith($"The role '{role}' may not create or change the tables: permission denied", error);
            Assert.EndsWith($"ALTER DATABASE \"{_database.Name}\" OWNER TO \"{role}\".", error);
        }
        finally
        {
            await ExecuteAsync($"DROP ROLE \"{role}\"");
        }
    }

    [Fact]
    public async Task A_search_path_without_a_schema_is_named() =>
        Assert.Contains(
            "has no schema to create tables in",
            await FailureAsync(settings => settings.SearchPath = "nowhere"),
            StringComparison.Ordinal
        );

    // What such a database cannot store would fail message by message.
    [Fact]
    public async Task A_new_database_with_another_encoding_than_UTF8_is_rejected()
    {
        var latin = _database.Name + "-latin1";
        await ExecuteAsync($"CREATE DATABASE \"{latin}\" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
        try
        {
            var error = await FailureAsync(settings => settings.Database = latin);

            Assert.StartsWith($"The database '{latin}' has the encoding LATIN1 and needs UTF8", error);
        }
        finally
        {
            await ExecuteAsync($"DROP DATABASE \"{latin}\" WITH (FORCE)");
        }
    }

    [Fact]
    public void Every_migration_has_its_own_number()
    {
        var error = Assert.Throws<InvalidOperationException>(() =>
            Files(("001_one.sql", "SELECT 1"), ("001_two.sql", "SELECT 2"))
        );

        Assert.Equal("Migrations 001_one and 001_two have the same number.", error.Message);
    }

    private async Task<string> FailureAsync(Action<NpgsqlConnectionStringBuilder> change)
    {
        var settings = new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Pooling = false };
        change(settings);
        await using var source = NpgsqlDataSource.Create(settings);
        var error = await Assert.ThrowsAsync<SchemaMigrationException>(() =>
            SchemaMigrator.MigrateAsync(source, Features.Product.Migrations)
        );
        return error.Message;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<long> CountAsync(string table)
    {
        await using var command = _source.CreateCommand($"SELECT count(*) FROM {table}");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static IReadOnlyList<Migration> Files(params (string Name, string Sql)[] files) =>
        Migration.EmbeddedIn(new SqlFiles(files));

    /// <summary>An assembly that contains only these files.</summary>
    private sealed class SqlFiles(params (string Name, string Sql)[] files) : Assembly
    {
        public override string[] GetManifestResourceNames() => [.. files.Select(file => "Some.Migrations." + file.Name)];

        public override Stream? GetManifestResourceStream(string name) =>
            new MemoryStream(
                Encoding.UTF8.GetBytes(files.Single(file => name.EndsWith(file.Name, StringComparison.Ordinal)).Sql)
            );
    }
}
