using Sagas.Contracts;

namespace Sagas.IntegrationTests.Crm;

/// <summary>From a customer's registration to the CRM's record, with a CRM that fails in every way.</summary>
public sealed class CrmSyncTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private static readonly DateTimeOffset _registered = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly object _everyFault = new
    {
        failBefore = 0.1,
        failAfter = 0.1,
        lostAfter = 0.1,
        garbage = 0.1,
        halfResponse = 0.1,
        tooManyRequests = 0.05,
        retryAfterSeconds = 0,
        latency = new { minMs = 1, maxMs = 5 },
    };

    [Theory]
    [InlineData("IdempotencyKey", 1)]
    [InlineData("IdempotencyKey", 20)]
    [InlineData("Lookup", 1)]
    [InlineData("Lookup", 20)]
    public async Task After_any_fault_the_CRM_has_the_newest_data_stored_once(string mode, int batchSize)
    {
        const int customers = 40;
        await using var system = await CrmSystem.StartAsync(
            servers,
            ("Crm:Mode", mode),
            ("Crm:BatchSize", $"{batchSize}"),
            ("Simulators:Crm:ItemFailRate", "0.05")
        );
        await system.SetFaultsAsync(_everyFault);

        // Few calls of large batches may meet a fault, so versions are added until enough have.
        for (var version = 1; version <= 3 || await system.CountAsync("faults") <= 20; version++)
        {
            await system.PublishAllAsync(Enumerable.Range(1, customers).Select(number => Customer(number, version)));
            if (version >= 3)
                await system.UntilAsync(
                    $"""
                    (SELECT count(*) FROM customer_state
                     WHERE current_state = 'Synced' AND version = synced_version AND last_name = 'v{version}') = {customers}
                    """
                );
        }

        await system.BalancesAsync();
        Assert.Equal(
            0,
            await system.QueryAsync<long>("SELECT count(*) FROM outbound_call WHERE state NOT IN ('done', 'superseded')")
        );
    }

    [Fact]
    public async Task At_most_once_parks_unknown_outcomes_until_an_operator_decides()
    {
        const int customers = 40;
        await using var system = await CrmSystem.StartAsync(servers, ("Crm:Mode", "AtMostOnce"));
        await system.SetFaultsAsync(_everyFault);
        await system.PublishAllAsync(Enumerable.Range(1, customers).Select(number => Customer(number, 1)));
        await system.UntilAsync(
            $"(SELECT count(*) FROM customer_state WHERE current_state IN ('Synced', 'SyncFailed')) = {customers}"
        );

        Assert.Equal(0, await system.CountAsync("duplicateEffects"));
        Assert.True(
            await system.QueryAsync<long>(
                """
                SELECT count(*) FROM customer_state
                WHERE current_state = 'SyncFailed' AND sync_failure LIKE '%it may have been executed'
                """
            ) > 0
        );
        // The operator compares with the CRM and retries what is missing there.
        await system.SetFaultsAsync(new { });
        var stored = (await system.EffectsAsync()).Select(effect => effect.CustomerId).ToHashSet();
        var missing = Enumerable.Range(1, customers).Select(number => $"c{number}").Where(id => !stored.Contains(id)).ToArray();
        await system.PublishAllAsync(missing.Select(id => new RetryCustomerSync(id)));
        await system.UntilAsync(
            $"""
            (SELECT count(*) FROM customer_state
             WHERE current_state = 'Synced' AND customer_id = ANY ({Literal(missing)})) = {missing.Length}
            """
        );

        await system.BalancesAsync();
    }

    [Fact]
    public async Task A_change_during_a_call_causes_the_next_call()
    {
        await using var system = await CrmSystem.StartAsync(servers);
        var answer = new TaskCompletionSource();
        system.Before = _ => answer.Task;
        await system.PublishAsync(Customer(1, 1));
        await system.UntilAsync("EXISTS (SELECT FROM outbound_call WHERE state = 'in_flight')");

        await system.PublishAsync(Customer(1, 2));
        await system.UntilAsync("EXISTS (SELECT FROM customer_state WHERE version = 2 AND current_state = 'Syncing')");
        Assert.Equal(1, await system.QueryAsync<long>("SELECT count(*) FROM outbound_call"));
        await system.PublishAsync(Customer(1, 3));
        await system.UntilAsync("EXISTS (SELECT FROM customer_state WHERE version = 3 AND current_state = 'Syncing')");
        answer.SetResult();
        await system.UntilAllAreAsync("Synced", 1);

        Assert.Equal([("c1", 1), ("c1", 3)], await system.EffectsAsync());
        Assert.Equal(
            "Syncing, Syncing, Syncing, Syncing, Synced",
            await system.QueryAsync<string>("SELECT string_agg(to_state, ', ' ORDER BY id) FROM saga_transition")
        );
    }

    [Fact]
    [Trait("Category", "Smoke")]
    public async Task A_customer_that_the_CRM_rejects_fails_with_its_reason_until_the_data_are_corrected()
    {
        await using var system = await CrmSystem.StartAsync(servers);
        await system.PublishAsync(Customer(1, 1) with { Email = "ada@declined.example" });
        await system.UntilAllAreAsync("SyncFailed", 1);
        Assert.Equal(
            "422: The e-mail address is declined.",
            await system.QueryAsync<string>("SELECT sync_failure FROM customers_overview")
        );

        await system.PublishAsync(new RetryCustomerSync("c1"));
        await system.UntilAsync("(SELECT count(*) FROM saga_transition WHERE to_state = 'SyncFailed') = 2");
        Assert.Equal(2, await system.CountAsync("declined"));

        await system.PublishAsync(Customer(1, 2));
        await system.UntilAllAreAsync("Synced", 1);
        Assert.Equal([("c1", 2)], await system.EffectsAsync());
        Assert.Equal(
            "superseded",
            await system.QueryAsync<string>("SELECT state FROM outbound_call WHERE idempotency_key LIKE '%/1'")
        );
    }

    [Fact]
    public async Task An_operator_retries_failed_syncs_over_HTTP_with_the_key_only()
    {
        const string key = "a-key-that-is-long-enough";
        await using var system = await CrmSystem.StartAsync(
            servers,
            ("Roles", "sagas,crm,operations"),
            ("Operations:ApiKey", key)
        );
        await system.SetFaultsAsync(new { });
        await system.PublishAllAsync(
            Enumerable.Range(1, 3).Select(number => Customer(number, 1) with { Email = "ada@declined.example" })
        );
        await system.PublishAsync(Customer(4, 1));
        await system.UntilAllAreAsync("SyncFailed", 3);
        await system.UntilAllAreAsync("Synced", 1);
        using var http = new HttpClient { BaseAddress = system.ServicesUrl };

        Assert.Equal(401, await PostAsync("/operations/crm/retry"));
        Assert.Equal(401, await PostAsync("/operations/customers/c1/retry-sync"));
        http.DefaultRequestHeaders.Add("X-Api-Key", key);
        Assert.Equal(404, await PostAsync("/operations/customers/nobody/retry-sync"));
        Assert.Equal(409, await PostAsync("/operations/customers/c4/retry-sync"));
        Assert.Equal(400, await PostAsync($"/operations/customers/{new string('x', 129)}/retry-sync"));
        Assert.Equal(400, await PostAsync($"/operations/crm/retry?requestedBy={new string('x', 600)}"));
        Assert.Equal(0, await system.QueryAsync<long>("SELECT count(*) FROM saga_transition WHERE event = 'RetryCustomerSync'"));

        Assert.Equal(202, await PostAsync("/operations/customers/c1/retry-sync"));
        await system.UntilAsync("(SELECT count(*) FROM saga_transition WHERE event = 'RetryCustomerSync') = 1");
        await system.UntilAllAreAsync("SyncFailed", 3);
        Assert.Equal(202, await PostAsync("/operations/crm/retry?requestedBy=Grace"));
        await system.UntilAsync("(SELECT count(*) FROM saga_transition WHERE event = 'RetryCustomerSync') = 4");

        async Task<int> PostAsync(string path)
        {
            using var response = await http.PostAsync(new Uri(path, UriKind.Relative), null);
            if (!response.IsSuccessStatusCode)
                Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task New_data_wait_until_an_old_call_of_unknown_outcome_can_no_longer_arrive()
    {
        await using var system = await CrmSystem.StartAsync(servers, ("Crm:Mode", "AtMostOnce"), ("Crm:LookupDelay", "01:00:00"));
        var stored = new TaskCompletionSource();
        system.Before = async context =>
        {
            // The CRM stores the request after its caller has given up waiting.
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            body.Position = 0;
            context.Request.Body = body;
            context.Abort();
            context.RequestAborted = CancellationToken.None;
            await stored.Task;
        };
        await system.PublishAsync(Customer(1, 1));
        await system.UntilAllAreAsync("SyncFailed", 1);
        system.Before = _ => Task.CompletedTask;
        await system.PublishAsync(Customer(1, 2));
        await system.UntilAsync(
            """
            EXISTS (SELECT FROM outbound_call
                    WHERE idempotency_key LIKE '%/2' AND state = 'waiting' AND due > now() + interval '50 minutes')
            """
        );

        stored.SetResult();
        await Eventually.TrueAsync("the CRM has stored the first call", async () => (await system.EffectsAsync()).Count > 0);
        await system.ExecuteAsync("UPDATE outbound_call SET due = now() WHERE due IS NOT NULL");
        await system.UntilAllAreAsync("Synced", 1);

        Assert.Equal([("c1", 1), ("c1", 2)], await system.EffectsAsync());
        await system.BalancesAsync();
    }

    [Fact]
    public async Task An_old_call_that_an_operator_retries_is_superseded_by_newer_data()
    {
        await using var system = await CrmSystem.StartAsync(servers, ("Crm:Mode", "AtMostOnce"));
        await system.SetFaultsAsync(new { lostAfter = 1.0 });
        await system.PublishAsync(Customer(1, 1));
        await system.UntilAllAreAsync("SyncFailed", 1);
        await system.SetFaultsAsync(new { });
        await system.ExecuteAsync(
            """
            UPDATE outbound_call
            SET state = 'waiting', due = now() + interval '1 hour', finished_at = NULL, outcome_unknown = false
            """
        );

        await system.PublishAsync(Customer(1, 2));
        await system.UntilAllAreAsync("Synced", 1);
        await system.UntilAsync("NOT EXISTS (SELECT FROM outbound_call WHERE due IS NOT NULL)");

        Assert.Equal([("c1", 1), ("c1", 2)], await system.EffectsAsync());
        Assert.Equal(
            "superseded",
            await system.QueryAsync<string>("SELECT state FROM outbound_call WHERE idempotency_key LIKE '%/1'")
        );
    }

    [Fact]
    public async Task Each_customer_of_a_bulk_message_has_one_call_and_unknown_ones_have_none()
    {
        await using var system = await CrmSystem.StartAsync(servers);
        var ids = Enumerable.Range(1, 498).Select(number => $"bulk-{number}").ToArray();
        await system.ExecuteAsync(
            $"""
            INSERT INTO customer_state (correlation_id, customer_id, current_state, last_name, registered_at, version,
                                        created_at, updated_at)
            SELECT id::uuid, customer, 'Syncing', 'v1', now(), 1, now(), now()
            FROM unnest({Literal(ids.Select(id => $"{SagaIdentity.Customer(id)}"))}, {Literal(ids)}) AS c (id, customer)
            """
        );

        await system.PublishAsync(new SyncCustomers([.. ids, "nobody", ids[0]]));
        await system.PublishAsync(new SyncCustomers(ids));
        await system.PublishAsync(new SyncCustomer(ids[0], 1));
        await system.UntilAllAreAsync("Synced", ids.Length);

        await system.BalancesAsync();
        Assert.Equal(ids.Length, await system.CountAsync("calls"));
        Assert.Equal(0, await system.QueryAsync<long>("SELECT count(*) FROM customer_state WHERE current_state <> 'Synced'"));
    }

    [Fact]
    public async Task Only_the_CRM_gets_its_secret()
    {
        const string secret = "Bearer a-token-that-nobody-may-see";
        await using var system = await CrmSystem.StartAsync(
            servers,
            ("Simulators:Crm:Authorization", secret),
            ("Crm:Authorization", secret)
        );
        await system.PublishAsync(Customer(1, 1));
        await system.UntilAllAreAsync("Synced", 1);

        Assert.Equal(
            0,
            await system.QueryAsync<long>("SELECT count(*) FROM outbound_call WHERE outbound_call::text LIKE '%a-token%'")
        );
        Assert.DoesNotContain("a-token", new Sagas.Services.Crm.CrmOptions { Authorization = secret }.ToString());
    }

    private static string Literal(IEnumerable<string> values) => $"'{{{string.Join(',', values)}}}'::text[]";

    private static CustomerRegistered Customer(int number, int version) =>
        new($"c{number}", "Ada", $"v{version}", $"ada{number}@example.org", null, _registered.AddSeconds(version), "test");
}
