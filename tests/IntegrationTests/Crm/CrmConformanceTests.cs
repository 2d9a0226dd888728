using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.OutboundCalls;
using Sagas.Services.Crm;

namespace Sagas.IntegrationTests.Crm;

/// <summary>The SQL statement and the state machine make the same transitions in every situation.</summary>
public sealed class CrmConformanceTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task Results_change_customers_as_their_messages_do()
    {
        // Only the state machine runs: what it queues stays in the queue, and what the statement enqueues in outbound_call.
        await using var system = await CrmSystem.StartAsync(servers, ("Roles", "sagas"));
        var cases = Cases().ToArray();
        await InsertAsync(system, cases, "message");
        await InsertAsync(system, cases, "statement");

        await system.PublishAllAsync(
            cases.Where(one => one.Synced).Select(one => new CustomerSynced(one.Id("message"), one.ResultVersion))
        );
        await system.PublishAllAsync(
            cases.Where(one => !one.Synced).Select(one => new CustomerSyncFailed(one.Id("message"), one.ResultVersion, "422: no"))
        );
        await ApplyAsync(system, cases);
        await system.UntilAsync($"(SELECT count(*) FROM inbox_state) = {cases.Length}");

        var rows = await RowsAsync(system);
        Assert.All(cases, one => Assert.Equal(rows[one.Id("message")], rows[one.Id("statement")]));

        // A comparison of equal rows would prove nothing.
        Assert.True(
            await system.QueryAsync<long>(
                "SELECT count(DISTINCT (current_state, synced_version, sync_failure)) FROM customer_state"
            ) > 10
        );
        var queued = cases.Count(one => one is { State: "Syncing" } && one.ResultVersion < one.Version);
        Assert.Equal(queued, await system.QueryAsync<long>("SELECT count(*) FROM outbound_call WHERE state = 'waiting'"));
        Assert.Equal(
            queued,
            await system.QueryAsync<long>(
                """
                SELECT count(*) FROM saga_transition t JOIN customer_state c USING (correlation_id)
                WHERE t.to_state = 'Syncing' AND c.customer_id LIKE 'statement%'
                """
            )
        );
    }

    private static IEnumerable<Case> Cases() =>
        from state in new[] { "Registered", "Syncing", "Synced", "SyncFailed" }
        from version in new[] { 1, 2, 3 }
        from had in new int?[] { null, 1, 2, 3 }
        from result in new[] { 1, 2, 3 }
        from synced in new[] { true, false }
        where result <= version && (had ?? 0) <= version && (state != "Synced" || had == version)
        select new Case(state, version, had, result, synced);

    private static async Task InsertAsync(CrmSystem system, IEnumerable<Case> cases, string how)
    {
        var rows = cases.Select(one =>
            $"('{SagaIdentity.Customer(one.Id(how))}', '{one.Id(how)}', '{one.State}', now(), {one.Version}, "
            + $"{one.Had?.ToString() ?? "NULL"}, {(one.State == "SyncFailed" ? "'before'" : "NULL")}, '2026-01-01', '2026-01-01')"
        );
        await system.ExecuteAsync(
            $"""
            INSERT INTO customer_state (correlation_id, customer_id, current_state, registered_at, version, synced_version,
                                        sync_failure, created_at, updated_at)
            VALUES {string.Join(',', rows)}
            """
        );
    }

    private static async Task ApplyAsync(CrmSystem system, IEnumerable<Case> cases)
    {
        var target = new CrmTarget(Options.Create(new CrmOptions()));
        var completed = cases.Select(one =>
        {
            var id = SagaIdentity.Customer(one.Id("statement"));
            var call = new OutboundCall(
                $"{id:D}/{one.ResultVersion}",
                CallMode.IdempotencyKey,
                "{}",
                1,
                false,
                TimeSpan.Zero,
                null,
                id
            );
            return new CompletedCall(call, one.Synced ? CallCompletion.Succeeded : CallCompletion.Rejected, "422: no");
        });
        await using var scope = system.Services.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<SagasDbContext>();
        await using var transaction = await database.Database.BeginTransactionAsync();
        await CrmResults.ApplyAsync(database, target, [.. completed], CancellationToken.None);
        await transaction.CommitAsync();
    }

    // Without what differs between the two: ids, times and the history's message.
    private static async Task<Dictionary<string, string>> RowsAsync(CrmSystem system)
    {
        var rows = await system.QueryAsync<string>(
            """
            SELECT json_object_agg(c.customer_id, concat_ws(
                ' ', c.current_state, c.version, coalesce(c.synced_version, 0), c.sync_failure, c.updated_at > '2026-01-02',
                (SELECT string_agg(concat_ws(' ', t.saga, t.from_state, t.to_state, t.event), ',' ORDER BY t.id)
                 FROM saga_transition t WHERE t.correlation_id = c.correlation_id)))::text
            FROM customer_state c
            """
        );
        return JsonSerializer.Deserialize<Dictionary<string, string>>(rows!)!;
    }

    private sealed record Case(string State, int Version, int? Had, int ResultVersion, bool Synced)
    {
        public string Id(string how) => $"{how}-{State}-{Version}-{Had ?? 0}-{ResultVersion}-{Synced}";
    }
}
