using MassTransit;
using Sagas.Contracts;
using static Sagas.UnitTests.Payments.StateMachine.PaymentExample;

namespace Sagas.UnitTests.Payments.StateMachine;

public sealed class PaymentRequestedAgainTests : IAsyncLifetime
{
    private SagasInMemory _sagas = null!;

    public async Task InitializeAsync() => _sagas = await SagasInMemory.StartAsync();

    public async Task DisposeAsync() => await _sagas.DisposeAsync();

    [Theory]
    [MemberData(nameof(States), MemberType = typeof(PaymentExample))]
    public async Task The_same_payment_again_does_nothing(string state)
    {
        await _sagas.BringPaymentToAsync(state);
        var (row, outgoing) = (_sagas.Row(), _sagas.Outgoing());
        _sagas.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Null(await _sagas.DeliverAsync(Request));
        Assert.Null(
            await _sagas.DeliverAsync(Request with { PaymentId = " p1", CustomerId = "c1 ", Amount = 12.5000m, Currency = "eur" })
        );
        Assert.Null(await _sagas.DeliverAsync(Request with { RequestedAt = _sagas.Clock.GetUtcNow() }));

        Assert.Equal((row, outgoing), (_sagas.Row(), _sagas.Outgoing()));
    }

    [Theory]
    [MemberData(nameof(States), MemberType = typeof(PaymentExample))]
    public async Task The_same_payment_with_other_content_is_rejected_with_the_reason(string state)
    {
        await _sagas.BringPaymentToAsync(state);
        var (row, outgoing) = (_sagas.Row(), _sagas.Outgoing());
        _sagas.Clock.Advance(TimeSpan.FromMinutes(1));

        await AssertRejectedAsync(Request with { Amount = 12.51m }, "c1 and 12.51 EUR");
        await AssertRejectedAsync(Request with { Currency = "USD" }, "c1 and 12.50 USD");
        await AssertRejectedAsync(Request with { CustomerId = "c2" }, "c2 and 12.50 EUR");
        await AssertRejectedAsync(Request with { CustomerId = "C1" }, "C1 and 12.50 EUR");

        Assert.Equal((row, outgoing), (_sagas.Row(), _sagas.Outgoing()));
    }

    [Fact]
    public async Task A_rejection_is_published_as_a_fault_with_the_reason()
    {
        await _sagas.DeliverAsync(Request);
        var error = await _sagas.DeliverAsync(Request with { Amount = 99 });

        var fault = await _sagas.PublishedAsync<Fault<PaymentRequested>>();

        Assert.Equal(99, fault.Message.Amount);
        Assert.Contains(fault.Exceptions, exception => exception.Message == error!.Message);
    }

    private async Task AssertRejectedAsync(PaymentRequested request, string now)
    {
        var error = Assert.IsType<InvalidMessageException>(await _sagas.DeliverAsync(request));
        Assert.Equal($"Payment p1 was requested before with customer c1 and 12.50 EUR; now with customer {now}.", error.Message);
    }
}
