using Npgsql;

namespace Sagas.IntegrationTests.Host;

public sealed class StatementTimeoutTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    // Of a fault that is not known to pass there are four attempts, each of at most two statements.
    private const int Statements = 12;

    [Fact]
    public async Task A_lock_that_outlasts_the_statement_timeout_makes_no_dead_letter()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Roles", "operations"));
        await system.StartAsync();
        var postgres = system.Settings["ConnectionStrings:Postgres"];
        await using var limited = system.AnotherProcess(
            ("Roles", "sagas"),
            ("ConnectionStrings:Postgres", $"{postgres};Options=-c statement_timeout=300ms")
        );
        await limited.StartAsync();
        await using var letters = await system.ReadDeadLettersAsync("customer-saga");
        await using (var holder = new NpgsqlConnection(postgres))
        {
            await holder.OpenAsync();
            await using var transaction = await holder.BeginTransactionAsync();
            await using var command = new NpgsqlCommand("LOCK TABLE customer_state IN EXCLUSIVE MODE", holder);
            await command.ExecuteNonQueryAsync();

            await system.PublishAsync("CustomerRegistered", """{"customerId":"locked"}""");

            await UntilStatementsWaitedAsync(system);
        }

        await system.WaitForAsync("SELECT count(*) FROM customer_state WHERE customer_id = 'locked'", 1L);
        Assert.True(letters.IsEmpty);
    }

    private static async Task UntilStatementsWaitedAsync(TestSystem system)
    {
        const string waiting = """
            SELECT coalesce(max(pid || ' ' || query_start), '') FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'relation'
            """;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await Eventually.TrueAsync(
            $"{Statements} statements wait for the lock, one after the other",
            async () =>
            {
                seen.Add(await system.QueryAsync<string>(waiting));
                return seen.Count > Statements;
            }
        );
    }
}
