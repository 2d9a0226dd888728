using System.Text.Json;
using Sagas.Contracts;
using Sagas.Payments;

namespace Sagas.UnitTests.Payments.StateMachine;

/// <summary>One payment, p1 of customer c1, and how it gets into each of its states.</summary>
internal static class PaymentExample
{
    public const string Id = "p1";

    public static PaymentRequested Request { get; } = new(Id, "c1", 12.50m, "EUR");

    public static CustomerRegistered Customer { get; } = new("c1", "Ada", "Byron");

    public static PaymentProcessed Processed { get; } = new(Id, "c1", "gw-1", DateTimeOffset.UnixEpoch);

    public static PaymentDeclined Declined { get; } = new(Id, "c1", "no money", DateTimeOffset.UnixEpoch);

    public static TheoryData<string> States =>
        [
            nameof(PaymentStateMachine.AwaitingCustomer),
            nameof(PaymentStateMachine.Processing),
            nameof(PaymentStateMachine.Completed),
            nameof(PaymentStateMachine.Failed),
            nameof(PaymentStateMachine.Expired),
        ];

    public static async Task<PaymentState> BringPaymentToAsync(this SagasInMemory sagas, string state)
    {
        if (state is not (nameof(PaymentStateMachine.AwaitingCustomer) or nameof(PaymentStateMachine.Expired)))
            await sagas.DeliverAsync(Customer);
        await sagas.DeliverAsync(Request);
        if (state == nameof(PaymentStateMachine.Completed))
            await sagas.DeliverAsync(Processed);
        if (state == nameof(PaymentStateMachine.Failed))
            await sagas.DeliverAsync(Declined);
        if (state == nameof(PaymentStateMachine.Expired))
            await sagas.LetPaymentExpireAsync();
        var payment = sagas.Payment(Id)!;
        Assert.Equal(state, payment.CurrentState);
        return payment;
    }

    public static async Task LetPaymentExpireAsync(this SagasInMemory sagas)
    {
        var payment = sagas.Payment(Id)!;
        sagas.Clock.SetUtcNow(payment.DeadlineAt);
        Assert.Null(await sagas.DeliverAsync(new PaymentRedeliveryDue(Id), payment.RedeliveryTokenId));
    }

    public static string Row(this SagasInMemory sagas) => JsonSerializer.Serialize(sagas.Payment(Id));

    public static string Outgoing(this SagasInMemory sagas) =>
        JsonSerializer.Serialize<object[]>([
            sagas.Published<ProcessPayment>(),
            sagas.Published<PaymentCompleted>(),
            sagas.Published<PaymentFailed>(),
            sagas.Published<PaymentExpired>(),
        ]);
}
