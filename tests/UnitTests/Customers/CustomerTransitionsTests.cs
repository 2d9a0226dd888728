using Sagas.Customers;

namespace Sagas.UnitTests.Customers;

/// <summary>The one rule for how a customer's state changes.</summary>
public sealed class CustomerTransitionsTests
{
    private static readonly DateTimeOffset _time = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly CustomerData _held = new("Ada", "Lovelace", null, null, _time);

    [Theory]
    [InlineData(true, "Syncing")]
    [InlineData(false, "Registered")]
    public void The_first_registration_calls_the_CRM_if_there_is_one(bool hasCrm, string state) =>
        Assert.Equal(
            new CustomerTransition(new CustomerStatus(state, 1, null, null), CustomerChange.Data, CallsCrm: hasCrm),
            CustomerTransitions.RegisterFirst(hasCrm)
        );

    [Theory]
    [InlineData(-1, "Byron", CustomerChange.None, 3)]
    [InlineData(0, "Lovelace", CustomerChange.None, 3)]
    [InlineData(1, "Lovelace", CustomerChange.Time, 3)]
    [InlineData(0, "King", CustomerChange.Data, 4)]
    [InlineData(1, "King", CustomerChange.Data, 4)]
    public void Only_data_that_differ_and_are_not_older_are_another_version(
        int seconds,
        string lastName,
        CustomerChange change,
        int version
    )
    {
        var transition = CustomerTransitions.Register(
            new("Synced", 3, 3, null),
            _held,
            _held with
            {
                LastName = lastName,
                RegisteredAt = _time.AddSeconds(seconds),
            },
            hasCrm: true
        );

        Assert.Equal((change, version), (transition.Change, transition.Status.Version));
        Assert.Equal(change == CustomerChange.Data, transition.CallsCrm);
    }

    [Theory]
    [InlineData("Registered", true, "Syncing", true)]
    [InlineData("Synced", true, "Syncing", true)]
    [InlineData("SyncFailed", true, "Syncing", true)]
    [InlineData("Syncing", true, "Syncing", false)]
    [InlineData("Synced", false, "Registered", false)]
    [InlineData("Syncing", false, "Syncing", false)]
    public void A_change_calls_the_CRM_unless_it_is_being_called(string state, bool hasCrm, string after, bool callsCrm)
    {
        var transition = CustomerTransitions.Register(new(state, 3, 2, "why"), _held, _held with { LastName = "King" }, hasCrm);

        Assert.Equal((after, callsCrm), (transition.Status.State, transition.CallsCrm));
    }

    [Theory]
    [InlineData("Syncing", 3, "Synced", 3, CustomerChange.Status, false)]
    [InlineData("Syncing", 2, "Syncing", 2, CustomerChange.Status, true)]
    [InlineData("SyncFailed", 3, "Synced", 3, CustomerChange.Status, false)]
    [InlineData("SyncFailed", 2, "SyncFailed", 2, CustomerChange.Status, false)]
    [InlineData("SyncFailed", 1, "SyncFailed", 1, CustomerChange.None, false)]
    [InlineData("Registered", 3, "Synced", 3, CustomerChange.Status, false)]
    public void A_version_that_the_CRM_has_counts_once(
        string state,
        int version,
        string after,
        int synced,
        CustomerChange change,
        bool callsCrm
    )
    {
        var transition = CustomerTransitions.RecordSynced(new(state, 3, 1, null), version, hasCrm: true);

        Assert.Equal((after, synced), (transition.Status.State, transition.Status.SyncedVersion));
        Assert.Equal((change, callsCrm), (transition.Change, transition.CallsCrm));
    }

    [Theory]
    [InlineData("Syncing", 3, "SyncFailed", "why", CustomerChange.Status, false)]
    [InlineData("Syncing", 2, "Syncing", null, CustomerChange.Status, true)]
    [InlineData("SyncFailed", 3, "SyncFailed", "why", CustomerChange.Status, false)]
    [InlineData("SyncFailed", 2, "SyncFailed", "before", CustomerChange.None, false)]
    [InlineData("Synced", 3, "Synced", "before", CustomerChange.None, false)]
    [InlineData("Registered", 3, "Registered", "before", CustomerChange.None, false)]
    public void A_rejection_counts_for_the_current_data_only(
        string state,
        int version,
        string after,
        string? failure,
        CustomerChange change,
        bool callsCrm
    )
    {
        var transition = CustomerTransitions.RecordSyncFailed(new(state, 3, 1, "before"), version, "why", hasCrm: true);

        Assert.Equal((after, failure), (transition.Status.State, transition.Status.SyncFailure));
        Assert.Equal((change, callsCrm), (transition.Change, transition.CallsCrm));
    }

    [Theory]
    [InlineData("Registered", true)]
    [InlineData("SyncFailed", true)]
    [InlineData("Syncing", false)]
    [InlineData("Synced", false)]
    public void A_retry_calls_the_CRM_unless_the_customer_is_synced_or_syncing(string state, bool callsCrm)
    {
        var transition = CustomerTransitions.RetrySync(new(state, 3, 1, "why"), hasCrm: true);

        Assert.Equal(callsCrm, transition.CallsCrm);
        Assert.Equal(callsCrm ? CustomerChange.Status : CustomerChange.None, transition.Change);
        Assert.Equal(callsCrm ? "Syncing" : state, transition.Status.State);
    }
}
