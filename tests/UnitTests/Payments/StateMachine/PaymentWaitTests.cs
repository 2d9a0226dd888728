using Sagas.Contracts;
using Sagas.Payments;
using static Sagas.UnitTests.Payments.StateMachine.PaymentExample;

namespace Sagas.UnitTests.Payments.StateMachine;

public sealed class PaymentWaitTests : IAsyncLifetime
{
    private SagasInMemory _sagas = null!;

    public async Task InitializeAsync() => _sagas = await SagasInMemory.StartAsync();

    public async Task DisposeAsync() => await _sagas.DisposeAsync();

    [Fact]
    public async Task A_payment_of_a_known_customer_is_processed_at_once()
    {
        await _sagas.DeliverAsync(Customer);
        var requested = new DateTimeOffset(2026, 3, 1, 10, 30, 0, TimeSpan.FromHours(-5));

        Assert.Null(await _sagas.DeliverAsync(Request with { Currency = "eur", RequestedAt = requested }));

        var payment = _sagas.Payment(Id)!;
        Assert.Equal((SagaIdentity.Payment(Id), "Processing"), (payment.CorrelationId, payment.CurrentState));
        Assert.Equal((Id, "c1", 12.50m, "EUR"), (payment.PaymentId, payment.CustomerId, payment.Amount, payment.Currency));
        Assert.Equal((requested, TimeSpan.Zero), (payment.RequestedAt, payment.RequestedAt.Offset));
        Assert.Equal((_sagas.Clock.GetUtcNow(), _sagas.Clock.GetUtcNow()), (payment.CreatedAt, payment.UpdatedAt));
        Assert.Equal((0, null, null), (payment.Attempts, payment.NextDueAt, payment.FinishedAt));
        Assert.Equal(new ProcessPayment(Id, "c1", 12.50m, "EUR"), Assert.Single(_sagas.Published<ProcessPayment>()));
    }

    [Fact]
    public async Task A_payment_of_an_unknown_customer_waits_and_shows_until_when()
    {
        Assert.Null(await _sagas.DeliverAsync(Request));

        var payment = _sagas.Payment(Id)!;
        Assert.Equal(("AwaitingCustomer", 1), (payment.CurrentState, payment.Attempts));
        Assert.Equal(_sagas.Clock.GetUtcNow().AddSeconds(1), payment.NextDueAt);
        Assert.Equal(_sagas.Clock.GetUtcNow().AddDays(1), payment.DeadlineAt);
        Assert.NotNull(payment.RedeliveryTokenId);
        Assert.Empty(_sagas.Published<ProcessPayment>());
    }

    [Fact]
    public async Task Each_wait_is_an_increment_longer_than_the_last_up_to_the_cap()
    {
        await _sagas.DeliverAsync(Request);

        for (var attempts = 1; attempts <= 33; attempts++)
        {
            var payment = _sagas.Payment(Id)!;
            Assert.Equal(("AwaitingCustomer", attempts), (payment.CurrentState, payment.Attempts));
            Assert.Equal(_sagas.Clock.GetUtcNow().AddSeconds(Math.Min(attempts, 30)), payment.NextDueAt);
            Assert.Equal(_sagas.Clock.GetUtcNow(), payment.UpdatedAt);
            await _sagas.RedeliverWhenDueAsync(Id);
        }

        Assert.Empty(_sagas.Published<ProcessPayment>());
    }

    [Fact]
    public async Task The_customer_releases_every_payment_that_waits_for_it_and_no_other()
    {
        await _sagas.DeliverAsync(Request);
        await _sagas.DeliverAsync(Request with { PaymentId = "p2", CustomerId = " c1 ", Amount = 7 });
        await _sagas.DeliverAsync(Request with { PaymentId = "p3", CustomerId = "c2" });

        await _sagas.DeliverAsync(Customer with { CustomerId = "c1\n" });
        await _sagas.PublishedAsync<ProcessPayment>(message => message.PaymentId == Id);
        await _sagas.PublishedAsync<ProcessPayment>(message => message.PaymentId == "p2");

        // The clock has not moved: the release does not wait for the schedule.
        Assert.Equal(2, _sagas.Published<ProcessPayment>().Count);
        Assert.Equal(("AwaitingCustomer", 1), (_sagas.Payment("p3")!.CurrentState, _sagas.Payment("p3")!.Attempts));
    }

    [Fact]
    public async Task The_redelivery_finds_a_customer_that_did_not_release_the_payment()
    {
        await _sagas.DeliverAsync(Request);
        await _sagas.RedeliverWhenDueAsync(Id);
        // As when the two transactions overlap: the customer exists, but it did not see the payment.
        await _sagas.DeliverAsync(Customer with { CustomerId = "c2" });
        _sagas.Payment(Id)!.CustomerId = "c2";

        var payment = await _sagas.RedeliverWhenDueAsync(Id);

        Assert.Equal(("Processing", 2, null), (payment.CurrentState, payment.Attempts, payment.NextDueAt));
        Assert.Null(payment.RedeliveryTokenId);
        Assert.Single(_sagas.Published<ProcessPayment>());
    }

    [Fact]
    public async Task The_last_attempt_is_at_the_deadline_and_then_the_payment_expires()
    {
        await using var sagas = await SagasInMemory.StartAsync(
            new RedeliveryOptions { BaseDelay = TimeSpan.FromSeconds(10), Timeout = TimeSpan.FromSeconds(25) }
        );
        var start = sagas.Clock.GetUtcNow();
        await sagas.DeliverAsync(Request);
        Assert.Equal(start.AddSeconds(10), sagas.Payment(Id)!.NextDueAt);
        var payment = await sagas.RedeliverWhenDueAsync(Id);
        Assert.Equal((2, start.AddSeconds(25)), (payment.Attempts, payment.NextDueAt));

        await sagas.RedeliverWhenDueAsync(Id);

        Assert.Equal(("Expired", null, start.AddSeconds(25)), (payment.CurrentState, payment.NextDueAt, payment.FinishedAt));
        Assert.Contains("c1", payment.FailureReason, StringComparison.Ordinal);
        Assert.Null(payment.RedeliveryTokenId);
        Assert.Equal(new PaymentExpired(Id, "c1", 2, start.AddSeconds(25)), Assert.Single(sagas.Published<PaymentExpired>()));
        Assert.Empty(sagas.Published<ProcessPayment>());
    }

    [Fact]
    public async Task A_payment_whose_customer_is_known_at_the_last_attempt_is_processed()
    {
        await _sagas.DeliverAsync(Request);
        await _sagas.DeliverAsync(Customer with { CustomerId = "c2" });
        _sagas.Payment(Id)!.CustomerId = "c2";

        await _sagas.LetPaymentExpireAsync();

        Assert.Equal("Processing", _sagas.Payment(Id)!.CurrentState);
        Assert.Empty(_sagas.Published<PaymentExpired>());
    }

    [Theory]
    [MemberData(nameof(States), MemberType = typeof(PaymentExample))]
    public async Task A_redelivery_of_an_earlier_wait_is_ignored(string state)
    {
        await _sagas.DeliverAsync(Request);
        var stale = _sagas.Payment(Id)!.RedeliveryTokenId;
        await _sagas.RedeliverWhenDueAsync(Id);
        Assert.NotEqual(stale, _sagas.Payment(Id)!.RedeliveryTokenId);
        await FinishAsync(state);
        var (row, outgoing) = (_sagas.Row(), _sagas.Outgoing());

        Assert.Null(await _sagas.DeliverAsync(new PaymentRedeliveryDue(Id), stale));
        if (state != nameof(PaymentStateMachine.AwaitingCustomer))
            Assert.Null(await _sagas.DeliverAsync(new PaymentRedeliveryDue(Id)));

        Assert.Equal((row, outgoing), (_sagas.Row(), _sagas.Outgoing()));
    }

    [Fact]
    public async Task A_redelivery_of_an_unknown_payment_creates_none()
    {
        Assert.Null(await _sagas.DeliverAsync(new PaymentRedeliveryDue(Id), Guid.NewGuid()));

        Assert.Null(_sagas.Payment(Id));
    }

    [Fact]
    public async Task The_scheduled_message_itself_redelivers_the_payment_until_it_expires()
    {
        var options = new RedeliveryOptions
        {
            BaseDelay = TimeSpan.FromMilliseconds(20),
            Timeout = TimeSpan.FromMilliseconds(100),
        };
        await using var sagas = await SagasInMemory.StartAsync(options, TimeProvider.System);

        await sagas.DeliverAsync(Request);
        var expired = await sagas.PublishedAsync<PaymentExpired>();

        // On a busy machine the first redelivery may come after the deadline.
        Assert.InRange(expired.Attempts, 1, 10);
        Assert.True(expired.ExpiredAt >= sagas.Payment(Id)!.DeadlineAt);
    }

    // From the second wait into the given state.
    private async Task FinishAsync(string state)
    {
        if (state == nameof(PaymentStateMachine.Expired))
            await _sagas.LetPaymentExpireAsync();
        if (state is nameof(PaymentStateMachine.AwaitingCustomer) or nameof(PaymentStateMachine.Expired))
            return;
        await _sagas.DeliverAsync(Customer);
        await _sagas.DeliverAsync(new PaymentRedeliveryDue(Id), _sagas.Payment(Id)!.RedeliveryTokenId);
        await _sagas.PublishedAsync<ProcessPayment>();
        if (state == nameof(PaymentStateMachine.Completed))
            await _sagas.DeliverAsync(Processed);
        if (state == nameof(PaymentStateMachine.Failed))
            await _sagas.DeliverAsync(Declined);
        Assert.Equal(state, _sagas.Payment(Id)!.CurrentState);
    }
}
