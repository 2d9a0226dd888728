using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Sagas.Examples.OrderShipment;

namespace Sagas.UnitTests.Examples;

/// <summary>Every transition of the example's state machine, in memory.</summary>
public sealed class OrderShipmentTests : IAsyncLifetime
{
    private static readonly DateTimeOffset _now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    private static readonly OrderPlaced _placed = new("order-1", "customer-1", "1 Harbour Street");
    private static readonly OrderShipped _shipped = new("order-1", "track-1", _now);
    private static readonly ShipmentRejected _rejected = new("order-1", "no such address", _now);

    // Everything that a message publishes is published before it counts as consumed.
    private static readonly CancellationToken _noWait = new(canceled: true);

    private readonly ServiceProvider _provider = new ServiceCollection()
        .AddSingleton<TimeProvider>(new FakeTimeProvider(_now))
        .AddMassTransitTestHarness(bus =>
        {
            bus.SetTestTimeouts(testInactivityTimeout: Eventually.Timeout);
            bus.AddSagaStateMachine<OrderStateMachine, OrderState, OrderStateMachineDefinition>();
        })
        .BuildServiceProvider(validateScopes: true);

    private ITestHarness Harness => _provider.GetTestHarness();

    private ISagaStateMachineTestHarness<OrderStateMachine, OrderState> Sagas =>
        Harness.GetSagaStateMachineHarness<OrderStateMachine, OrderState>();

    public Task InitializeAsync() => Harness.Start();

    public async Task DisposeAsync() => await _provider.DisposeAsync();

    [Fact]
    public async Task A_placed_order_is_shipping()
    {
        var order = await DeliverAsync(_placed with { OrderId = " order-1 " });

        Assert.Equal(
            ("Shipping", "order-1", "customer-1", "1 Harbour Street"),
            (order!.CurrentState, order.OrderId, order.CustomerId, order.Address)
        );
        Assert.Equal((_now, _now), (order.CreatedAt, order.UpdatedAt));
        Assert.Equal([new ShipOrder("order-1", "1 Harbour Street")], Published<ShipOrder>());
    }

    [Fact]
    public async Task A_shipment_that_the_carrier_accepts_is_shipped()
    {
        await DeliverAsync(_placed);

        var order = await DeliverAsync(_shipped);

        Assert.Equal(("Shipped", "track-1", null), (order!.CurrentState, order.TrackingNumber, order.RejectionReason));
    }

    [Fact]
    public async Task A_shipment_that_the_carrier_rejects_is_rejected()
    {
        await DeliverAsync(_placed);

        var order = await DeliverAsync(_rejected);

        Assert.Equal(("Rejected", null, "no such address"), (order!.CurrentState, order.TrackingNumber, order.RejectionReason));
    }

    [Theory]
    [InlineData("Shipping")]
    [InlineData("Shipped")]
    [InlineData("Rejected")]
    public async Task An_order_that_is_placed_again_stays_as_it_is(string state)
    {
        await BringToAsync(state);

        var order = await DeliverAsync(_placed with { Address = "elsewhere" });

        Assert.Equal((state, "1 Harbour Street"), (order!.CurrentState, order.Address));
        Assert.Single(Published<ShipOrder>());
    }

    [Theory]
    [InlineData("Shipped")]
    [InlineData("Rejected")]
    public async Task A_later_answer_of_the_carrier_changes_nothing(string state)
    {
        await BringToAsync(state);
        var before = Order();
        var (tracking, reason) = (before!.TrackingNumber, before.RejectionReason);

        await DeliverAsync(_shipped with { TrackingNumber = "track-2" });
        var order = await DeliverAsync(_rejected with { Reason = "too heavy" });

        Assert.Equal((state, tracking, reason), (order!.CurrentState, order.TrackingNumber, order.RejectionReason));
    }

    [Fact]
    public async Task An_answer_about_an_unknown_order_is_an_invalid_message()
    {
        await Harness.Bus.Publish(_shipped);
        await Harness.Bus.Publish(_rejected);

        Assert.Equal("There is no order order-1.", await ReasonAsync<OrderShipped>());
        Assert.Equal("There is no order order-1.", await ReasonAsync<ShipmentRejected>());
    }

    private async Task BringToAsync(string state)
    {
        var order = await DeliverAsync(_placed);
        if (state == "Shipped")
            order = await DeliverAsync(_shipped);
        if (state == "Rejected")
            order = await DeliverAsync(_rejected);
        Assert.Equal(state, order!.CurrentState);
    }

    /// <summary>Publishes a message and waits until the saga has consumed it without a fault.</summary>
    private async Task<OrderState?> DeliverAsync<T>(T message)
        where T : class
    {
        var id = NewId.NextGuid();
        await Harness.Bus.Publish(message, context => context.MessageId = id);
        var consumed = await Sagas.Consumed.SelectAsync<T>(received => received.Context.MessageId == id).First();
        Assert.Null(consumed.Exception);
        return Order();
    }

    private OrderState? Order() => Sagas.Sagas.Contains(OrderStateMachine.IdOf("order-1"));

    private List<T> Published<T>()
        where T : class => [.. Harness.Published.Select<T>(_noWait).Select(published => published.Context.Message)];

    private async Task<string> ReasonAsync<T>()
        where T : class => (await Harness.Published.SelectAsync<Fault<T>>().First()).Context.Message.Exceptions[0].Message;
}
