using Npgsql;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>A program whose tables EF Core creates has the same ones as a program that runs the migrations.</summary>
public sealed class CreatedTablesTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    // The product adds an index of its own to the outbox.
    private const string Describe = """
        WITH tables AS (
            SELECT oid, relname, reloptions FROM pg_class
            WHERE relname IN ('inbox_state', 'outbox_message', 'outbox_instance', 'saga_transition'))
        SELECT relname || ' with ' || array_to_string(ARRAY(SELECT unnest(reloptions) ORDER BY 1), ', ') FROM tables
        UNION ALL
        SELECT format('%s.%s %s%s %s %s', t.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                      CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, a.attidentity, pg_get_expr(d.adbin, d.adrelid))
        FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
        UNION ALL
        SELECT regexp_replace(regexp_replace(pg_get_indexdef(c.oid), '"(\w+)"', '\1', 'g'), ' WITH \(.*?\)', '')
               || ' with ' || array_to_string(ARRAY(SELECT replace(unnest(c.reloptions), '=on', '=true') ORDER BY 1), ', ')
        FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indexrelid::regclass::text <> 'outbox_message_digest'
        UNION ALL
        SELECT t.relname || ' ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
        FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid WHERE c.contype <> 'n'
        ORDER BY 1
        """;

    [Fact]
    public async Task Tables_that_EF_Core_creates_are_those_of_the_migrations()
    {
        await using var migrated = await servers.CreateDatabaseAsync("migrated");
        await using var created = await ContextHost<HistoryContext>.StartAsync(servers, new ContextSetup());

        Assert.Equal(
            string.Join('\n', await LinesAsync(migrated.ConnectionString)),
            string.Join('\n', await LinesAsync(created.ConnectionString))
        );
    }

    private static async Task<List<string>> LinesAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(Describe);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync())
            lines.Add(await reader.IsDBNullAsync(0) ? "" : reader.GetString(0));
        return lines;
    }
}
