using System.Text;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Cli.Generate;
using Sagas.Customers;
using Sagas.FileIntake;
using Sagas.FileIntake.Storage;
using Sagas.Services.Ingest;
using Sagas.Services.Messages;

namespace Sagas.IntegrationTests.Ingest;

/// <summary>A database of its own, and a folder for files that are read into it.</summary>
internal sealed class IngestDatabase : IAsyncDisposable
{
    private readonly TestDatabase _database;
    private readonly string _folder = Directory.CreateTempSubdirectory("sagas-ingest-").FullName;

    private IngestDatabase(TestDatabase database)
    {
        _database = database;
        Source = NpgsqlDataSource.Create(database.ConnectionString);
        Store = new FileStore(Source);
    }

    public NpgsqlDataSource Source { get; }

    public FileStore Store { get; }

    public string ConnectionString => _database.ConnectionString;

    public static async Task<IngestDatabase> CreateAsync(ServersFixture servers)
    {
        return new IngestDatabase(await servers.CreateDatabaseAsync("ingest"));
    }

    public static string Customers(int rows, int seed = 1, double dirty = 0)
    {
        using var memory = new MemoryStream();
        new CustomerFile(seed, dirty).Write(memory, rows, CancellationToken.None);
        return Encoding.UTF8.GetString(memory.ToArray());
    }

    public string Write(string name, string content) => Write(name, Encoding.UTF8.GetBytes(content));

    public string Write(string name, byte[] content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    public FileProcessor Processor(IngestOptions? options = null, bool crm = true) =>
        new(
            new CustomerIngest(
                Source,
                Store,
                Options.Create(options ?? new IngestOptions { Partitions = 4 }),
                Options.Create(new CustomerSyncOptions { Enabled = crm }),
                new MessagesOptions(),
                TimeProvider.System
            ),
            Store,
            TimeProvider.System
        );

    public async Task<FileResult> IngestAsync(string name, byte[] content) =>
        await Processor().ProcessAsync(Write(name, content), null, CancellationToken.None);

    public async Task<FileResult> IngestAsync(string name, string content, IngestOptions? options = null, bool crm = true) =>
        await Processor(options, crm).ProcessAsync(Write(name, content), null, CancellationToken.None);

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task<string[]> ColumnAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync())
            values.Add(reader.GetString(0));
        return [.. values];
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>All data that an ingest writes about customers, without its timestamps.</summary>
    public async Task<string[]> CustomersAsync() =>
        await ColumnAsync(
            """
            SELECT to_jsonb(c)::jsonb - 'created_at' - 'updated_at' - 'file_id' || jsonb_build_object(
                'was_updated', c.updated_at > '2026-02-01',
                'history', (
                    SELECT jsonb_agg(jsonb_build_array(t.saga, t.from_state, t.to_state, t.event) ORDER BY t.id)
                    FROM saga_history t WHERE t.correlation_id = c.correlation_id)) #>> '{}'
            FROM customer_state c ORDER BY c.customer_id
            """
        );

    /// <summary>The customers queued for the CRM, one entry for each time a customer is queued.</summary>
    public Task<string[]> QueuedAsync() =>
        ColumnAsync(
            """
            SELECT id FROM outbox_message, json_array_elements_text(body::json -> 'message' -> 'customerIds') id
            WHERE message_type = 'urn:message:Sagas.Contracts:SyncCustomers' ORDER BY id
            """
        );

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await _database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
