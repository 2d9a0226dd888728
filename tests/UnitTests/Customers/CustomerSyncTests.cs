using Sagas.Contracts;
using Sagas.Customers;
using Sagas.UnitTests.Payments.StateMachine;

namespace Sagas.UnitTests.Customers;

/// <summary>Every transition of a customer that is synced to a CRM.</summary>
public sealed class CustomerSyncTests : IAsyncLifetime
{
    private SagasInMemory _sagas = null!;

    public async Task InitializeAsync() => _sagas = await SagasInMemory.StartAsync(crm: true);

    public async Task DisposeAsync() => await _sagas.DisposeAsync();

    [Fact]
    public async Task A_new_customer_is_sent_to_the_CRM_at_once()
    {
        await _sagas.DeliverAsync(Ada);

        Assert.Equal(("Syncing", 1, null, null), Row);
        Assert.Equal([new SyncCustomer("42", 1)], Sent);
    }

    [Fact]
    public async Task A_customer_that_the_CRM_has_stored_is_synced()
    {
        await _sagas.DeliverAsync(Ada);
        _sagas.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(await _sagas.DeliverAsync(new CustomerSynced("42", 1)));

        Assert.Equal(("Synced", 1, 1, null), Row);
        Assert.Equal(_sagas.Clock.GetUtcNow(), _sagas.Customer("42")!.UpdatedAt);
        Assert.Single(Sent);
    }

    [Fact]
    public async Task A_change_during_a_call_waits_for_it_and_causes_the_next()
    {
        await _sagas.DeliverAsync(Ada);
        await _sagas.DeliverAsync(King(1));
        await _sagas.DeliverAsync(King(2) with { FirstName = "Augusta" });
        Assert.Equal(("Syncing", 3, null, null), Row);
        Assert.Single(Sent);

        await _sagas.DeliverAsync(new CustomerSynced("42", 1));
        Assert.Equal(("Syncing", 3, 1, null), Row);
        Assert.Equal([new("42", 1), new SyncCustomer("42", 3)], Sent);

        await _sagas.DeliverAsync(new CustomerSynced("42", 3));
        Assert.Equal(("Synced", 3, 3, null), Row);
        Assert.Equal(2, Sent.Count);
    }

    [Fact]
    public async Task A_change_of_a_synced_customer_causes_another_call()
    {
        await SyncedAsync();
        await _sagas.DeliverAsync(King(1));

        Assert.Equal(("Syncing", 2, 1, null), Row);
        Assert.Equal([new("42", 1), new SyncCustomer("42", 2)], Sent);
    }

    [Fact]
    public async Task The_same_or_older_data_cause_no_other_call()
    {
        await SyncedAsync();
        await _sagas.DeliverAsync(Ada);
        await _sagas.DeliverAsync(King(-60));

        Assert.Equal(("Synced", 1, 1, null), Row);
        Assert.Single(Sent);
    }

    [Fact]
    public async Task A_customer_that_the_CRM_rejects_fails_with_the_reason()
    {
        await FailedAsync();

        Assert.Equal(("SyncFailed", 1, null, "the CRM said no"), Row);
        Assert.Single(Sent);
    }

    [Fact]
    public async Task A_failure_of_old_data_causes_a_call_with_the_new_ones()
    {
        await _sagas.DeliverAsync(Ada);
        await _sagas.DeliverAsync(King(1));
        await _sagas.DeliverAsync(new CustomerSyncFailed("42", 1, "no such mailbox"));

        Assert.Equal(("Syncing", 2, null, null), Row);
        Assert.Equal([new("42", 1), new SyncCustomer("42", 2)], Sent);
    }

    [Fact]
    public async Task Changed_data_of_a_failed_customer_are_sent()
    {
        await FailedAsync();
        await _sagas.DeliverAsync(King(1));

        Assert.Equal(("Syncing", 2, null, null), Row);
        Assert.Equal([new("42", 1), new SyncCustomer("42", 2)], Sent);
    }

    [Fact]
    public async Task A_failed_customer_is_sent_again_when_an_operator_retries()
    {
        await FailedAsync();
        Assert.Null(await _sagas.DeliverAsync(new RetryCustomerSync("42", "Grace")));

        Assert.Equal(("Syncing", 1, null, null), Row);
        Assert.Equal([new("42", 1), new SyncCustomer("42", 1, Retry: true)], Sent);
        await _sagas.DeliverAsync(new CustomerSynced("42", 1));
        Assert.Equal(("Synced", 1, 1, null), Row);
    }

    [Fact]
    public async Task A_retry_of_a_customer_that_has_not_failed_changes_nothing()
    {
        await _sagas.DeliverAsync(Ada);
        Assert.Null(await _sagas.DeliverAsync(new RetryCustomerSync("42")));
        Assert.Equal(("Syncing", 1, null, null), Row);
        await _sagas.DeliverAsync(new CustomerSynced("42", 1));
        Assert.Null(await _sagas.DeliverAsync(new RetryCustomerSync("42")));

        Assert.Equal(("Synced", 1, 1, null), Row);
        Assert.Single(Sent);
    }

    [Fact]
    public async Task A_parked_call_that_turns_out_to_have_succeeded_counts()
    {
        await FailedAsync();
        await _sagas.DeliverAsync(new CustomerSynced("42", 1));

        Assert.Equal(("Synced", 1, 1, null), Row);
    }

    [Fact]
    public async Task An_old_call_that_turns_out_to_have_succeeded_clears_no_failure()
    {
        await FailedAsync();
        await _sagas.DeliverAsync(King(1));
        await _sagas.DeliverAsync(new CustomerSyncFailed("42", 2, "still no"));
        await _sagas.DeliverAsync(new CustomerSynced("42", 1));

        Assert.Equal(("SyncFailed", 2, 1, "still no"), Row);
    }

    [Fact]
    public async Task An_outdated_result_changes_nothing()
    {
        await SyncedAsync();
        await _sagas.DeliverAsync(new CustomerSynced("42", 1));
        await _sagas.DeliverAsync(new CustomerSyncFailed("42", 1, "late"));
        Assert.Equal(("Synced", 1, 1, null), Row);

        await _sagas.DeliverAsync(King(1));
        await _sagas.DeliverAsync(new CustomerSyncFailed("42", 2, "no"));
        await _sagas.DeliverAsync(new CustomerSyncFailed("42", 1, "late"));
        await _sagas.DeliverAsync(new CustomerSynced("42", 1));
        Assert.Equal(("SyncFailed", 2, 1, "no"), Row);
        await _sagas.DeliverAsync(new CustomerSyncFailed("42", 2, "no again"));
        Assert.Equal(("SyncFailed", 2, 1, "no again"), Row);
    }

    [Fact]
    public async Task A_result_of_a_version_that_does_not_exist_is_rejected()
    {
        await _sagas.DeliverAsync(Ada);

        Assert.Contains("no version 2", (await _sagas.DeliverAsync(new CustomerSynced("42", 2)))!.GetBaseException().Message);
        Assert.Contains(
            "no version 2",
            (await _sagas.DeliverAsync(new CustomerSyncFailed("42", 2, "why")))!.GetBaseException().Message
        );
        Assert.Equal(("Syncing", 1, null, null), Row);
    }

    [Fact]
    public async Task A_message_about_an_unknown_customer_is_invalid()
    {
        Assert.IsType<InvalidMessageException>((await _sagas.DeliverAsync(new CustomerSynced("nobody", 1)))!.GetBaseException());
        Assert.IsType<InvalidMessageException>(
            (await _sagas.DeliverAsync(new CustomerSyncFailed("nobody", 1, "why")))!.GetBaseException()
        );
        Assert.IsType<InvalidMessageException>((await _sagas.DeliverAsync(new RetryCustomerSync("nobody")))!.GetBaseException());
    }

    [Fact]
    public async Task A_customer_registered_without_a_CRM_is_sent_by_a_retry_or_a_change()
    {
        await _sagas.DeliverAsync(Ada);
        _sagas.Customer("42")!.CurrentState = nameof(CustomerStateMachine.Registered);
        await _sagas.DeliverAsync(new RetryCustomerSync("42"));
        Assert.Equal(("Syncing", 1, null, null), Row);

        _sagas.Customer("42")!.CurrentState = nameof(CustomerStateMachine.Registered);
        await _sagas.DeliverAsync(King(1));
        Assert.Equal(("Syncing", 2, null, null), Row);
    }

    [Theory]
    [InlineData(nameof(CustomerStateMachine.Registered))]
    [InlineData(nameof(CustomerStateMachine.Synced))]
    [InlineData(nameof(CustomerStateMachine.SyncFailed))]
    public async Task Without_a_CRM_a_changed_customer_is_registered_and_not_sent(string state)
    {
        await using var sagas = await SagasInMemory.StartAsync();
        await sagas.DeliverAsync(Ada);
        Assert.Equal("Registered", sagas.Customer("42")!.CurrentState);
        sagas.Customer("42")!.CurrentState = state;
        await sagas.DeliverAsync(King(1));

        Assert.Equal(("Registered", 2), (sagas.Customer("42")!.CurrentState, sagas.Customer("42")!.Version));
        Assert.Contains("no CRM", (await sagas.DeliverAsync(new RetryCustomerSync("42")))!.GetBaseException().Message);
        Assert.Empty(sagas.Published<SyncCustomer>());
    }

    [Fact]
    public async Task Without_a_CRM_the_last_call_leads_to_registered_if_the_data_have_changed()
    {
        await using var sagas = await SagasInMemory.StartAsync();
        await sagas.DeliverAsync(Ada);
        sagas.Customer("42")!.CurrentState = nameof(CustomerStateMachine.Syncing);
        await sagas.DeliverAsync(King(1));
        await sagas.DeliverAsync(new CustomerSynced("42", 1));

        var customer = sagas.Customer("42")!;
        Assert.Equal(("Registered", 2, 1), (customer.CurrentState, customer.Version, customer.SyncedVersion));
        Assert.Empty(sagas.Published<SyncCustomer>());
    }

    private static CustomerRegistered Ada { get; } =
        new("42", "Ada", "Byron", "ada@example.org", "+44 1", new DateTimeOffset(2026, 3, 1, 10, 30, 0, TimeSpan.Zero), "shop");

    private static CustomerRegistered King(int secondsLater) =>
        Ada with
        {
            LastName = "King",
            RegisteredAt = Ada.RegisteredAt!.Value.AddSeconds(secondsLater),
        };

    private (string State, int Version, int? Synced, string? Failure) Row =>
        _sagas.Customer("42") is { } row ? (row.CurrentState, row.Version, row.SyncedVersion, row.SyncFailure) : default;

    private IReadOnlyList<SyncCustomer> Sent => _sagas.Published<SyncCustomer>();

    private async Task SyncedAsync()
    {
        await _sagas.DeliverAsync(Ada);
        await _sagas.DeliverAsync(new CustomerSynced("42", 1));
    }

    private async Task FailedAsync()
    {
        await _sagas.DeliverAsync(Ada);
        await _sagas.DeliverAsync(new CustomerSyncFailed("42", 1, "the CRM said no"));
    }
}
