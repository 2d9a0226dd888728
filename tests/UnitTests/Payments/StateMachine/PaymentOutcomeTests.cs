using MassTransit;
using Sagas.Contracts;
using Sagas.Payments;
using static Sagas.UnitTests.Payments.StateMachine.PaymentExample;

namespace Sagas.UnitTests.Payments.StateMachine;

public sealed class PaymentOutcomeTests : IAsyncLifetime
{
    private SagasInMemory _sagas = null!;

    public async Task InitializeAsync() => _sagas = await SagasInMemory.StartAsync();

    public async Task DisposeAsync() => await _sagas.DisposeAsync();

    [Fact]
    public async Task A_processed_payment_is_completed_and_published_once()
    {
        await _sagas.BringPaymentToAsync(nameof(PaymentStateMachine.Processing));
        _sagas.Clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Null(await _sagas.DeliverAsync(Processed with { PaymentId = $" {Id} " }));

        var payment = _sagas.Payment(Id)!;
        Assert.Equal(("Completed", "gw-1", null), (payment.CurrentState, payment.GatewayReference, payment.FailureReason));
        var now = _sagas.Clock.GetUtcNow();
        Assert.Equal((now, now, null), (payment.FinishedAt, payment.UpdatedAt, payment.NextDueAt));
        Assert.Equal(
            new PaymentCompleted(Id, "c1", 12.50m, "EUR", "gw-1", now),
            Assert.Single(_sagas.Published<PaymentCompleted>())
        );
        Assert.Empty(_sagas.Published<PaymentFailed>());
    }

    [Fact]
    public async Task A_declined_payment_fails_for_good_and_publishes_its_reason_once()
    {
        await _sagas.BringPaymentToAsync(nameof(PaymentStateMachine.Processing));
        _sagas.Clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Null(await _sagas.DeliverAsync(Declined));

        var payment = _sagas.Payment(Id)!;
        Assert.Equal(("Failed", null, "no money"), (payment.CurrentState, payment.GatewayReference, payment.FailureReason));
        var now = _sagas.Clock.GetUtcNow();
        Assert.Equal(now, payment.FinishedAt);
        Assert.Equal(new PaymentFailed(Id, "c1", "no money", now), Assert.Single(_sagas.Published<PaymentFailed>()));
        Assert.Empty(_sagas.Published<PaymentCompleted>());
    }

    [Theory]
    [InlineData(nameof(PaymentStateMachine.Completed))]
    [InlineData(nameof(PaymentStateMachine.Failed))]
    [InlineData(nameof(PaymentStateMachine.Expired))]
    public async Task A_later_result_of_the_gateway_changes_nothing(string state)
    {
        await _sagas.BringPaymentToAsync(state);
        var (row, outgoing) = (_sagas.Row(), _sagas.Outgoing());
        _sagas.Clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Null(await _sagas.DeliverAsync(Processed));
        Assert.Null(await _sagas.DeliverAsync(Processed with { GatewayReference = "gw-2" }));
        Assert.Null(await _sagas.DeliverAsync(Declined));

        Assert.Equal((row, outgoing), (_sagas.Row(), _sagas.Outgoing()));
    }

    [Fact]
    public async Task A_message_about_an_unknown_payment_is_rejected_with_the_reason()
    {
        Exception?[] errors =
        [
            await _sagas.DeliverAsync(Processed),
            await _sagas.DeliverAsync(Declined),
            await _sagas.DeliverAsync(new RevivePayment(Id)),
        ];

        Assert.All(
            errors,
            error => Assert.Equal("There is no payment p1.", Assert.IsType<InvalidMessageException>(error).Message)
        );
        Assert.Null(_sagas.Payment(Id));
        var fault = await _sagas.PublishedAsync<Fault<PaymentProcessed>>();
        Assert.Contains(fault.Exceptions, exception => exception.Message == "There is no payment p1.");
    }
}
