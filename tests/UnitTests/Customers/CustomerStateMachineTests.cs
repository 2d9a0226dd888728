using System.Text.Json;
using Sagas.Contracts;
using Sagas.Customers;
using Sagas.UnitTests.Payments.StateMachine;

namespace Sagas.UnitTests.Customers;

public sealed class CustomerStateMachineTests : IAsyncLifetime
{
    private SagasInMemory _sagas = null!;

    public async Task InitializeAsync() => _sagas = await SagasInMemory.StartAsync();

    public async Task DisposeAsync() => await _sagas.DisposeAsync();

    [Fact]
    public async Task The_first_registration_creates_the_customer()
    {
        var registered = new DateTimeOffset(2026, 3, 1, 10, 30, 0, TimeSpan.FromHours(2));

        Assert.Null(
            await _sagas.DeliverAsync(
                new CustomerRegistered("42", "Ada", "Byron", "ada@example.org", "+44 1", registered, "shop")
            )
        );

        var customer = _sagas.Customer("42")!;
        Assert.Equal(SagaIdentity.Customer("42"), customer.CorrelationId);
        Assert.Equal(("42", "Registered", 1), (customer.CustomerId, customer.CurrentState, customer.Version));
        Assert.Equal(
            ("Ada", "Byron", "ada@example.org", "+44 1", "shop"),
            (customer.FirstName, customer.LastName, customer.Email, customer.Phone, customer.Source)
        );
        Assert.Equal((registered, TimeSpan.Zero), (customer.RegisteredAt, customer.RegisteredAt.Offset));
        Assert.Equal((_sagas.Clock.GetUtcNow(), _sagas.Clock.GetUtcNow()), (customer.CreatedAt, customer.UpdatedAt));
    }

    [Theory]
    [InlineData(0, "shop")]
    [InlineData(-60, "shop")]
    [InlineData(0, "another system")]
    public async Task The_same_data_again_change_nothing(int secondsLater, string source)
    {
        await _sagas.DeliverAsync(Ada);
        var before = Row("42");
        _sagas.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Null(await _sagas.DeliverAsync(Ada with { RegisteredAt = At(secondsLater), Source = source }));

        Assert.Equal(before, Row("42"));
    }

    [Fact]
    public async Task The_same_data_recorded_later_are_newer_but_not_another_version()
    {
        await _sagas.DeliverAsync(Ada);
        var updated = _sagas.Customer("42")!.UpdatedAt;
        _sagas.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Null(await _sagas.DeliverAsync(Ada with { RegisteredAt = At(60) }));
        Assert.Null(await _sagas.DeliverAsync(Ada with { LastName = "King", RegisteredAt = At(30) }));

        var customer = _sagas.Customer("42")!;
        Assert.Equal(
            ("Byron", At(60), 1, updated),
            (customer.LastName, customer.RegisteredAt, customer.Version, customer.UpdatedAt)
        );
    }

    [Theory]
    [InlineData(0, 1, 2)]
    [InlineData(0, 2, 1)]
    [InlineData(1, 0, 2)]
    [InlineData(1, 2, 0)]
    [InlineData(2, 0, 1)]
    [InlineData(2, 1, 0)]
    public async Task In_any_order_of_arrival_the_newest_registration_counts(int first, int second, int third)
    {
        CustomerRegistered[] registrations =
        [
            Ada,
            Ada with
            {
                LastName = "King",
                RegisteredAt = At(1),
            },
            Ada with
            {
                RegisteredAt = At(2),
            },
        ];

        foreach (var index in (int[])[first, second, third])
            Assert.Null(await _sagas.DeliverAsync(registrations[index]));

        Assert.Equal(("Byron", At(2)), (_sagas.Customer("42")!.LastName, _sagas.Customer("42")!.RegisteredAt));
    }

    // Postgres stores no finer times; the same message would be newer than its own row.
    [Fact]
    public async Task Times_count_to_the_microsecond()
    {
        await _sagas.DeliverAsync(Ada with { RegisteredAt = At(0).AddTicks(17) });

        Assert.Equal(At(0).AddTicks(10), _sagas.Customer("42")!.RegisteredAt);
    }

    public static TheoryData<CustomerRegistered> Changes =>
        [
            Ada with
            {
                FirstName = "Augusta",
            },
            Ada with
            {
                LastName = "Lovelace",
            },
            Ada with
            {
                Email = "ada@example.com",
            },
            Ada with
            {
                Phone = null,
            },
        ];

    [Theory]
    [MemberData(nameof(Changes), DisableDiscoveryEnumeration = true)]
    public async Task Changed_data_replace_the_old_ones_and_increment_the_version(CustomerRegistered changed)
    {
        await _sagas.DeliverAsync(Ada);
        var created = _sagas.Clock.GetUtcNow();
        _sagas.Clock.Advance(TimeSpan.FromHours(1));
        var later = At(60);

        Assert.Null(await _sagas.DeliverAsync(changed with { RegisteredAt = later, Source = "crm" }));

        var customer = _sagas.Customer("42")!;
        Assert.Equal(
            (changed.FirstName, changed.LastName, changed.Email, changed.Phone, "crm"),
            (customer.FirstName, customer.LastName, customer.Email, customer.Phone, customer.Source)
        );
        Assert.Equal(("Registered", 2, later), (customer.CurrentState, customer.Version, customer.RegisteredAt));
        Assert.Equal((created, _sagas.Clock.GetUtcNow()), (customer.CreatedAt, customer.UpdatedAt));
    }

    [Fact]
    public async Task An_older_registration_does_not_overwrite_a_newer_one()
    {
        await _sagas.DeliverAsync(Ada);
        var before = Row("42");

        Assert.Null(await _sagas.DeliverAsync(Ada with { LastName = "King", RegisteredAt = At(0).AddMicroseconds(-1) }));

        Assert.Equal(before, Row("42"));
    }

    [Fact]
    public async Task Of_two_registrations_with_the_same_time_the_later_to_arrive_counts()
    {
        await _sagas.DeliverAsync(Ada);

        Assert.Null(await _sagas.DeliverAsync(Ada with { LastName = "King" }));

        Assert.Equal(("King", 2), (_sagas.Customer("42")!.LastName, _sagas.Customer("42")!.Version));
    }

    [Fact]
    public async Task Without_a_time_of_its_own_a_registration_is_as_old_as_its_message()
    {
        var before = DateTimeOffset.UtcNow;
        await _sagas.DeliverAsync(Ada with { RegisteredAt = null });
        var after = DateTimeOffset.UtcNow;

        Assert.InRange(_sagas.Customer("42")!.RegisteredAt, before.AddMilliseconds(-1), after.AddMilliseconds(1));
        await _sagas.DeliverAsync(Ada with { LastName = "King", RegisteredAt = before.AddSeconds(-1) });
        Assert.Equal("Byron", _sagas.Customer("42")!.LastName);
        await _sagas.DeliverAsync(Ada with { LastName = "King", RegisteredAt = null });
        Assert.Equal("King", _sagas.Customer("42")!.LastName);
    }

    [Fact]
    public async Task White_space_around_the_id_does_not_make_another_customer()
    {
        await _sagas.DeliverAsync(Ada with { CustomerId = "  42 " });
        await _sagas.DeliverAsync(Ada with { CustomerId = "42\t", Email = "new@example.org", RegisteredAt = At(60) });

        Assert.Equal(
            ("42", 2, "new@example.org"),
            (_sagas.Customer("42")!.CustomerId, _sagas.Customer("42")!.Version, _sagas.Customer("42")!.Email)
        );
    }

    [Theory]
    [InlineData(nameof(CustomerStateMachine.Syncing))]
    [InlineData(nameof(CustomerStateMachine.Synced))]
    [InlineData(nameof(CustomerStateMachine.SyncFailed))]
    public async Task In_every_sync_state_only_newer_and_changed_data_are_accepted(string state)
    {
        await _sagas.DeliverAsync(Ada);
        _sagas.Customer("42")!.CurrentState = state;
        var before = Row("42");

        Assert.Null(await _sagas.DeliverAsync(Ada));
        Assert.Null(await _sagas.DeliverAsync(Ada with { LastName = "King", RegisteredAt = At(-60) }));
        Assert.Equal(before, Row("42"));

        Assert.Null(await _sagas.DeliverAsync(Ada with { LastName = "King", RegisteredAt = At(60) }));
        Assert.Equal(("King", 2), (_sagas.Customer("42")!.LastName, _sagas.Customer("42")!.Version));
    }

    private static CustomerRegistered Ada { get; } =
        new("42", "Ada", "Byron", "ada@example.org", "+44 1", new DateTimeOffset(2026, 3, 1, 10, 30, 0, TimeSpan.Zero), "shop");

    private static DateTimeOffset At(int secondsLater) => Ada.RegisteredAt!.Value.AddSeconds(secondsLater);

    private string Row(string customerId) => JsonSerializer.Serialize(_sagas.Customer(customerId));
}
