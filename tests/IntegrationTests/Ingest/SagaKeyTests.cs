using Npgsql;

namespace Sagas.IntegrationTests.Ingest;

/// <summary>SQL finds a customer by id, and tells the customer's history.</summary>
public sealed class SagaKeyTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task Sql_computes_the_correlation_id_that_the_services_compute()
    {
        await using var database = await IngestDatabase.CreateAsync(servers);
        // SHA-1 pads its input to whole blocks of 64 bytes: every length up to the third block.
        string[] ids = [.. Enumerable.Range(1, 130).Select(length => new string('x', length)), "ü/'\"\u65e5\ud83d\ude00", "c-1"];

        foreach (var id in ids)
        {
            await using var command = database.Source.CreateCommand("SELECT saga_key('customer', $1), saga_key('payment', $1)");
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
            await using var row = await command.ExecuteReaderAsync();
            Assert.True(await row.ReadAsync());
            Assert.Equal((SagaIdentity.Customer(id), SagaIdentity.Payment(id)), (row.GetGuid(0), row.GetGuid(1)));
        }
    }

    [Fact]
    public async Task The_history_of_a_customer_of_a_file_begins_with_the_file()
    {
        await using var database = await IngestDatabase.CreateAsync(servers);
        var first = await database.IngestAsync("a.csv", "id,first_name\n1,Ada\n2,Bob\n");
        var second = await database.IngestAsync("b.csv", "id,first_name\n1,Adele\n");

        Assert.Equal(
            [$" Syncing CustomerRegistered {first.File.FileId}", $"Syncing Syncing CustomerRegistered {second.File.FileId}"],
            await database.ColumnAsync(
                """
                SELECT concat_ws(' ', coalesce(from_state, ''), to_state, event, conversation_id) FROM saga_history
                WHERE correlation_id = saga_key('customer', '1') ORDER BY id
                """
            )
        );
        Assert.Equal(1, await database.QueryAsync<long>("SELECT count(*) FROM saga_transition"));
    }
}
