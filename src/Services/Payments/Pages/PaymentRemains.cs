using Sagas.Payments;
using Sagas.Services.Operations.Pages;

namespace Sagas.Services.Payments.Pages;

/// <summary>What a payment waits for, in a sentence or two.</summary>
internal static class PaymentRemains
{
    /// <returns>Null: it is completed or failed, and nothing remains.</returns>
    public static string? Of(PaymentDetails details) =>
        details.Payment.State switch
        {
            nameof(PaymentStateMachine.AwaitingCustomer) => Waiting(details),
            nameof(PaymentStateMachine.Processing) => Processing(details),
            nameof(PaymentStateMachine.Expired) =>
                $"It expired since customer {details.Payment.CustomerId} did not register in time. Reviving it gives it another "
                    + "waiting period.",
            _ => null,
        };

    private static string Waiting(PaymentDetails details)
    {
        var payment = details.Payment;
        var looks = payment.NextDueAt is { } due
            ? $" It looks for the customer again at {Show.Time(due)} (attempt {payment.Attempts + 1}),"
            : " It";
        return details.CustomerIsKnown
            ? $"Customer {payment.CustomerId} is registered, and the payment is about to be woken."
            : $"It waits for customer {payment.CustomerId}, who is not registered, and is woken by the registration."
                + $"{looks} and expires at {Show.Time(payment.DeadlineAt)}.";
    }

    private static string Processing(PaymentDetails details) =>
        details.Call switch
        {
            null => "The gateway is to be called: the message ProcessPayment is on its way.",
            { State: "parked" } call =>
                $"The gateway was called {call.Attempts} times: {call.LastOutcome}. The call is parked until an operator "
                    + "retries it.",
            { State: "in_flight" } call => $"The gateway is being called, attempt {call.Attempts}.",
            { State: "waiting", Attempts: 0 } => "Its call to the gateway waits for its turn.",
            { State: "waiting", Due: { } due } call =>
                $"The gateway did not take it ({call.LastOutcome}); attempt {call.Attempts + 1} is at {Show.Time(due)}.",
            var call => $"The gateway's answer ({call.LastOutcome}) is on its way to the payment.",
        };
}
