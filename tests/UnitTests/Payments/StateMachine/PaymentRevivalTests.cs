using Sagas.Contracts;
using Sagas.Payments;
using static Sagas.UnitTests.Payments.StateMachine.PaymentExample;

namespace Sagas.UnitTests.Payments.StateMachine;

public sealed class PaymentRevivalTests : IAsyncLifetime
{
    private SagasInMemory _sagas = null!;

    public async Task InitializeAsync() => _sagas = await SagasInMemory.StartAsync();

    public async Task DisposeAsync() => await _sagas.DisposeAsync();

    [Fact]
    public async Task A_revived_payment_of_a_known_customer_is_processed_at_once()
    {
        await _sagas.BringPaymentToAsync(nameof(PaymentStateMachine.Expired));
        await _sagas.DeliverAsync(Customer);
        _sagas.Clock.Advance(TimeSpan.FromHours(3));

        Assert.Null(await _sagas.DeliverAsync(new RevivePayment($" {Id} ", "someone")));

        var payment = _sagas.Payment(Id)!;
        Assert.Equal(("Processing", 0), (payment.CurrentState, payment.Attempts));
        Assert.Equal((null, null, null), (payment.FailureReason, payment.FinishedAt, payment.NextDueAt));
        Assert.Single(_sagas.Published<ProcessPayment>());
    }

    [Fact]
    public async Task A_revived_payment_of_an_unknown_customer_waits_from_the_start_and_can_expire_again()
    {
        await _sagas.BringPaymentToAsync(nameof(PaymentStateMachine.Expired));
        _sagas.Clock.Advance(TimeSpan.FromHours(3));

        Assert.Null(await _sagas.DeliverAsync(new RevivePayment(Id)));

        var payment = _sagas.Payment(Id)!;
        Assert.Equal(("AwaitingCustomer", 1), (payment.CurrentState, payment.Attempts));
        var now = _sagas.Clock.GetUtcNow();
        Assert.Equal((now.AddSeconds(1), now.AddDays(1)), (payment.NextDueAt, payment.DeadlineAt));
        Assert.Equal((null, null), (payment.FailureReason, payment.FinishedAt));
        await _sagas.LetPaymentExpireAsync();
        Assert.Equal("Expired", payment.CurrentState);
        Assert.Equal(2, _sagas.Published<PaymentExpired>().Count);
    }

    [Fact]
    public async Task A_revived_payment_is_released_by_its_customer()
    {
        await _sagas.BringPaymentToAsync(nameof(PaymentStateMachine.Expired));
        await _sagas.DeliverAsync(new RevivePayment(Id));

        await _sagas.DeliverAsync(Customer);
        await _sagas.PublishedAsync<ProcessPayment>();
        await _sagas.DeliverAsync(Processed);

        Assert.Equal("Completed", _sagas.Payment(Id)!.CurrentState);
    }

    [Theory]
    [InlineData(nameof(PaymentStateMachine.AwaitingCustomer))]
    [InlineData(nameof(PaymentStateMachine.Processing))]
    [InlineData(nameof(PaymentStateMachine.Completed))]
    [InlineData(nameof(PaymentStateMachine.Failed))]
    public async Task Only_an_expired_payment_can_be_revived(string state)
    {
        await _sagas.BringPaymentToAsync(state);
        var (row, outgoing) = (_sagas.Row(), _sagas.Outgoing());

        var error = Assert.IsType<InvalidMessageException>(await _sagas.DeliverAsync(new RevivePayment(Id)));

        Assert.Equal($"Payment p1 is {state}; only an expired payment can be revived.", error.Message);
        Assert.Equal((row, outgoing), (_sagas.Row(), _sagas.Outgoing()));
    }
}
