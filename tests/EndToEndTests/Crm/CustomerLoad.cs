using Npgsql;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Crm;

/// <summary>Customers, a part of whom change while the CRM is told of them.</summary>
/// <param name="customers">How many.</param>
/// <param name="changed">How many of them change; the first ones.</param>
internal sealed class CustomerLoad(int customers, int changed)
{
    private const int ChunkSize = 500;

    public int Customers => customers;

    /// <summary>How often the CRM stores data at most; a change that comes before the first call makes one less.</summary>
    public int MostEffects => customers + changed;

    public static string Id(int number) => $"c-{number:D6}";

    public string LastName(int number) => number < changed ? "v2" : "v1";

    /// <summary>Registrations as other systems send them.</summary>
    public static IReadOnlyList<PlainMessage> Registrations(int from, int to, int version) =>
        [.. Enumerable.Range(from, to - from).Select(number => new PlainMessage("CustomerRegistered",
            $$"""{"customerId":"{{Id(number)}}","firstName":"Ada","lastName":"v{{version}}","email":"c-{{number}}@example.com","registeredAt":"2026-01-01T00:00:0{{version}}Z"}"""))];

    /// <summary>The changes.</summary>
    public IReadOnlyList<PlainMessage> Changes => Registrations(0, changed, 2);

    /// <summary>Makes customers as an ingest does, many at a time, and queues them for the CRM.</summary>
    public static async Task InsertAsync(NpgsqlDataSource database, Uri rabbitMq, int from, int to, CancellationToken stop)
    {
        var messages = new List<PlainMessage>();
        foreach (var chunk in Enumerable.Range(from, to - from).Chunk(ChunkSize))
        {
            await using var insert = database.CreateCommand("""
                INSERT INTO customer_state (correlation_id, customer_id, current_state, first_name, last_name, email, registered_at, version, created_at, updated_at)
                SELECT id, customer, 'Syncing', 'Ada', 'v1', customer || '@example.com', '2026-01-01T00:00:01Z', 1, now(), now() FROM unnest($1, $2) AS c (id, customer)
                """);
            insert.Parameters.Add(new() { Value = chunk.Select(number => SagaIdentity.Customer(Id(number))).ToArray() });
            insert.Parameters.Add(new() { Value = chunk.Select(Id).ToArray() });
            await insert.ExecuteNonQueryAsync(stop);
            messages.Add(new PlainMessage("SyncCustomers", $$"""{"customerIds":[{{string.Join(',', chunk.Select(number => $"\"{Id(number)}\""))}}]}"""));
        }

        await Broker.PublishAsync(rabbitMq, messages, stop);
    }
}
