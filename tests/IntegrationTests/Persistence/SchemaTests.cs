using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;
using Sagas.Database;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>The migrated schema is the one that the model expects, and everything in it has a comment.</summary>
public sealed class SchemaTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    // Tables that are read and written by SQL alone.
    private const string SqlOnly =
        "'alarm', 'alarm_digest', 'alarm_digest_schedule', 'alert_file_rows', 'file', 'file_progress', 'file_reject', "
        + "'outbound_call', 'rate_limit', 'rate_limit_lease', 'object_status', "
        + "'operator_action', 'process', 'activity', 'data_protection_key', "
        + "'schema_migration'";

    private const string TestTables = "'order_state', 'order_line', 'effect'";

    private PersistenceDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PersistenceDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Columns_are_those_of_the_model()
    {
        var migrated = await _database.ColumnAsync<string>(
            $"""
            SELECT format('%s.%s %s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                          CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
                          CASE a.attidentity WHEN 'a' THEN ' IDENTITY ALWAYS' WHEN 'd' THEN ' IDENTITY BY DEFAULT' ELSE '' END,
                          ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))
            FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ({SqlOnly}, {TestTables})
            """
        );

        Assert.Equal(
            Tables().SelectMany(table => table.Columns.Where(IsOwn).Select(column => Describe(table, column))).Order(),
            migrated.Order()
        );
    }

    [Fact]
    public async Task Primary_keys_are_those_of_the_model()
    {
        var migrated = await _database.ColumnAsync<string>(
            $"""
            SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
            WHERE contype IN ('p', 'f') AND connamespace = 'public'::regnamespace
              AND conrelid::regclass::text NOT IN ({SqlOnly}, {TestTables})
            """
        );
        var modelled = Tables().Select(table => $"{table.Name} PRIMARY KEY ({Names(table.PrimaryKey!.Columns)})");

        Assert.Equal(modelled.Order(), migrated.Order());
    }

    [Fact]
    public async Task Indexes_are_those_of_the_model()
    {
        // Postgres names the unique constraint of a column itself; names are not compared.
        var migrated = await _database.ColumnAsync<string>(
            $"""
            SELECT format('%s %s%s (%s)%s', t.relname, CASE WHEN i.indisunique THEN 'unique ' ELSE '' END, m.amname,
                          (SELECT string_agg(a.attname, ', ' ORDER BY k.place)
                           FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
                           JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number),
                          ' WHERE ' || pg_get_expr(i.indpred, t.oid))
            FROM pg_index i
            JOIN pg_class t ON t.oid = i.indrelid
            JOIN pg_class n ON n.oid = i.indexrelid
            JOIN pg_am m ON m.oid = n.relam
            WHERE t.relnamespace = 'public'::regnamespace AND NOT i.indisprimary AND t.relname NOT IN ({SqlOnly}, {TestTables})
            """
        );

        Assert.Equal(
            Tables().SelectMany(table => table.Indexes.Select(index => Describe(table, index))).Order(),
            migrated.Select(Plain).Order()
        );
    }

    [Fact]
    public async Task Index_names_in_the_model_are_those_in_the_database()
    {
        var migrated = await _database.ColumnAsync<string>("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'");
        var named = Tables()
            .SelectMany(table => table.Indexes)
            .Select(index => index.Name)
            .Where(name => !name.StartsWith("IX_", StringComparison.Ordinal));

        Assert.Empty(named.Except(migrated));
    }

    [Fact]
    public async Task Every_table_view_column_and_function_is_described()
    {
        Assert.Empty(
            await _database.ColumnAsync<string>(
                $"""
                SELECT c.relname::text FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname NOT IN ({TestTables})
                  AND obj_description(c.oid) IS NULL
                UNION ALL
                SELECT format('%s.%s', c.relname, a.attname)
                FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ({TestTables})
                  AND col_description(c.oid, a.attnum) IS NULL
                UNION ALL
                SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND obj_description(p.oid) IS NULL
                """
            )
        );
    }

    [Fact]
    public async Task Every_saga_of_the_model_can_be_queried()
    {
        await using var db = Model();
        Assert.Empty(await db.Customers.ToListAsync());
        Assert.Empty(await db.Payments.ToListAsync());
    }

    // xmin, the row version, is a column that every table has.
    private static bool IsOwn(IColumn column) => column.Name != "xmin";

    private static string Describe(ITable table, IColumn column)
    {
        var property = column.PropertyMappings[0].Property;
        var identity = property.GetValueGenerationStrategy(StoreObjectIdentifier.Table(table.Name, table.Schema)) switch
        {
            NpgsqlValueGenerationStrategy.IdentityAlwaysColumn => " IDENTITY ALWAYS",
            NpgsqlValueGenerationStrategy.IdentityByDefaultColumn => " IDENTITY BY DEFAULT",
            _ => "",
        };
        var value =
            column.DefaultValueSql
            ?? (column.TryGetDefaultValue(out var constant) && identity == "" ? constant?.ToString() : null);
        var rest = $"{(column.IsNullable ? "" : " NOT NULL")}{identity}{(value is null ? "" : $" DEFAULT {value}")}";
        return $"{table.Name}.{column.Name} {column.StoreType}{rest}";
    }

    private static string Describe(ITable table, ITableIndex index)
    {
        var method = index.MappedIndexes.First().GetMethod() ?? "btree";
        var filter = index.Filter is null ? "" : $" WHERE {index.Filter}";
        return $"{table.Name} {(index.IsUnique ? "unique " : "")}{method} ({Names(index.Columns)}){Plain(filter)}";
    }

    private static string Names(IEnumerable<IColumn> columns) => string.Join(", ", columns.Select(column => column.Name));

    // Postgres stores a filter with more brackets, quotes and casts than it was written with.
    private static string Plain(string index)
    {
        var filter = index.IndexOf(" WHERE ", StringComparison.Ordinal);
        return filter < 0
            ? index
            : index[..filter] + index[filter..].Replace("(", "").Replace(")", "").Replace("\"", "").Replace("::text", "");
    }

    private SagasDbContext Model() =>
        new(new DbContextOptionsBuilder<SagasDbContext>().UseNpgsql(_database.ConnectionString).Options);

    private IEnumerable<ITable> Tables()
    {
        using var db = Model();
        return db.GetService<IDesignTimeModel>().Model.GetRelationalModel().Tables;
    }
}
