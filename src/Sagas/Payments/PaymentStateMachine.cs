using MassTransit;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.Customers;

namespace Sagas.Payments;

/// <summary>
/// The life of a payment. It waits for its customer until a deadline: it looks again after growing delays, and as soon as
/// the customer appears. Then the gateway is called once, and its answer is final.
/// </summary>
public sealed class PaymentStateMachine : MassTransitStateMachine<PaymentState>
{
    private readonly RedeliveryOptions _options;

    /// <summary>Builds the machine.</summary>
    /// <param name="options">How long a payment waits.</param>
    public PaymentStateMachine(IOptions<RedeliveryOptions> options)
    {
        _options = options.Value;
        InstanceState(payment => payment.CurrentState);
        Event(() => PaymentRequested, e => e.CorrelateById(context => SagaIdentity.Payment(context.Message.PaymentId)));
        Event(() => PaymentProcessed, e => Existing(e, message => message.PaymentId));
        Event(() => PaymentDeclined, e => Existing(e, message => message.PaymentId));
        Event(() => RevivePayment, e => Existing(e, message => message.PaymentId));
        Schedule(
            () => Redelivery,
            payment => payment.RedeliveryTokenId,
            schedule => schedule.Received = e => e.CorrelateById(context => SagaIdentity.Payment(context.Message.PaymentId))
        );

        Initially(When(PaymentRequested).Then(Create).IfElseAsync(CustomerIsKnown, Process, WaitForCustomer));

        During(
            AwaitingCustomer,
            When(Redelivery!.Received)
                .IfElseAsync(CustomerIsKnown, Process, x => x.IfElse(DeadlineHasPassed, Expire, WaitForCustomer))
        );

        DuringProcessing();

        During(Expired, When(RevivePayment).Then(Revive).IfElseAsync(CustomerIsKnown, Process, WaitForCustomer));

        DuringAny(When(PaymentRequested).Then(RejectConflict));

        // A result is final: a repeated answer of the gateway, or a wake-up that lost its race, changes nothing.
        During(Completed, Failed, Expired, Ignore(PaymentProcessed), Ignore(PaymentDeclined));
        During(Processing, Completed, Failed, Expired, Ignore(Redelivery.Received));
        During(AwaitingCustomer, Processing, Completed, Failed, When(RevivePayment).Then(RejectRevival));
    }

    /// <summary>The customer is not known yet.</summary>
    public State AwaitingCustomer { get; private set; } = null!;

    /// <summary>The gateway is being called.</summary>
    public State Processing { get; private set; } = null!;

    /// <summary>The gateway charged the payment.</summary>
    public State Completed { get; private set; } = null!;

    /// <summary>The gateway declined the payment.</summary>
    public State Failed { get; private set; } = null!;

    /// <summary>The customer did not appear before the deadline.</summary>
    public State Expired { get; private set; } = null!;

    /// <summary>A payment is requested.</summary>
    public Event<PaymentRequested> PaymentRequested { get; private set; } = null!;

    /// <summary>The gateway charged it.</summary>
    public Event<PaymentProcessed> PaymentProcessed { get; private set; } = null!;

    /// <summary>The gateway declined it.</summary>
    public Event<PaymentDeclined> PaymentDeclined { get; private set; } = null!;

    /// <summary>An operator gives it another waiting period.</summary>
    public Event<RevivePayment> RevivePayment { get; private set; } = null!;

    /// <summary>Wakes a waiting payment.</summary>
    public Schedule<PaymentState, PaymentRedeliveryDue> Redelivery { get; private set; } = null!;

    private static void Existing<T>(IEventCorrelationConfigurator<PaymentState, T> configurator, Func<T, string> paymentId)
        where T : class
    {
        configurator.CorrelateById(context => SagaIdentity.Payment(paymentId(context.Message)));
        configurator.OnMissingInstance(missing =>
            missing.Execute(context => throw new InvalidMessageException($"There is no payment {paymentId(context.Message)}."))
        );
    }

    private static Task<bool> CustomerIsKnown(BehaviorContext<PaymentState> context) =>
        context.Service<ICustomerDirectory>().IsKnownAsync(context.Saga.CustomerId, context.CancellationToken);

    private static bool DeadlineHasPassed(BehaviorContext<PaymentState> context) => context.Now() >= context.Saga.DeadlineAt;

    // The column has four decimals for every currency.
    private static decimal AmountOf(PaymentState payment) => Currencies.Normalize(payment.Amount, payment.Currency);

    private static void RejectRevival(BehaviorContext<PaymentState> context) =>
        throw new InvalidMessageException(
            $"Payment {context.Saga.PaymentId} is {context.Saga.CurrentState}; only an expired payment can be revived."
        );

    private static void RejectConflict(BehaviorContext<PaymentState, PaymentRequested> context)
    {
        var (payment, message) = (context.Saga, context.Message);
        if (
            payment.CustomerId == message.CustomerId.Trim()
            && payment.Amount == message.Amount
            && string.Equals(payment.Currency, message.Currency, StringComparison.OrdinalIgnoreCase)
        )
            return;
        throw new InvalidMessageException(
            $"Payment {payment.PaymentId} was requested before with customer {payment.CustomerId} "
                + $"and {AmountOf(payment)} {payment.Currency}; "
                + $"now with customer {message.CustomerId.Trim()} "
                + $"and {Currencies.Normalize(message.Amount, message.Currency)} {message.Currency}."
        );
    }

    private static void Finish(BehaviorContext<PaymentState> context, string? gatewayReference, string? reason)
    {
        var payment = context.Saga;
        payment.GatewayReference = gatewayReference;
        payment.FailureReason = reason;
        payment.NextDueAt = null;
        payment.FinishedAt = payment.UpdatedAt = context.Now();
    }

    private void DuringProcessing() =>
        During(
            Processing,
            When(PaymentProcessed)
                .Then(context => Finish(context, context.Message.GatewayReference, null))
                .Publish(context => new PaymentCompleted(
                    context.Saga.PaymentId,
                    context.Saga.CustomerId,
                    AmountOf(context.Saga),
                    context.Saga.Currency,
                    context.Message.GatewayReference,
                    context.Saga.UpdatedAt
                ))
                .TransitionTo(Completed),
            When(PaymentDeclined)
                .Then(context => Finish(context, null, context.Message.Reason))
                .Publish(context => new PaymentFailed(
                    context.Saga.PaymentId,
                    context.Saga.CustomerId,
                    context.Message.Reason,
                    context.Saga.UpdatedAt
                ))
                .TransitionTo(Failed)
        );

    private void Create(BehaviorContext<PaymentState, PaymentRequested> context)
    {
        var (payment, message) = (context.Saga, context.Message);
        payment.PaymentId = message.PaymentId.Trim();
        payment.CustomerId = message.CustomerId.Trim();
        payment.Currency = message.Currency.ToUpperInvariant();
        payment.Amount = Currencies.Normalize(message.Amount, payment.Currency);
        payment.CreatedAt = payment.UpdatedAt = context.Now();
        payment.RequestedAt = message.RequestedAt?.ToUniversalTime() ?? context.SentTime ?? payment.CreatedAt;
        payment.DeadlineAt = payment.CreatedAt + _options.Timeout;
    }

    private void Revive(BehaviorContext<PaymentState> context)
    {
        var payment = context.Saga;
        payment.Attempts = 0;
        payment.FailureReason = null;
        payment.FinishedAt = null;
        payment.UpdatedAt = context.Now();
        payment.DeadlineAt = payment.UpdatedAt + _options.Timeout;
    }

    private EventActivityBinder<PaymentState, T> Process<T>(EventActivityBinder<PaymentState, T> binder)
        where T : class =>
        binder
            // The customer has woken it before its time.
            .If(context => context.GetSchedulingTokenId() is null, woken => woken.Unschedule(Redelivery))
            .Then(context =>
            {
                context.Saga.NextDueAt = null;
                context.Saga.UpdatedAt = context.Now();
            })
            .Publish(context => new ProcessPayment(
                context.Saga.PaymentId,
                context.Saga.CustomerId,
                AmountOf(context.Saga),
                context.Saga.Currency
            ))
            .TransitionTo(Processing);

    private EventActivityBinder<PaymentState, T> WaitForCustomer<T>(EventActivityBinder<PaymentState, T> binder)
        where T : class =>
        binder
            .Then(context =>
            {
                var payment = context.Saga;
                payment.Attempts++;
                payment.UpdatedAt = context.Now();

                // The last attempt is at the deadline itself, not a whole wait after it.
                var due = payment.UpdatedAt + _options.DelayAfter(payment.Attempts);
                payment.NextDueAt = due < payment.DeadlineAt ? due : payment.DeadlineAt;
            })
            .Schedule(
                Redelivery,
                context => new PaymentRedeliveryDue(context.Saga.PaymentId),
                context => context.Saga.NextDueAt!.Value.UtcDateTime
            )
            .TransitionTo(AwaitingCustomer);

    private EventActivityBinder<PaymentState, T> Expire<T>(EventActivityBinder<PaymentState, T> binder)
        where T : class =>
        binder
            .Then(context => Finish(context, null, $"Customer {context.Saga.CustomerId} was not registered before the deadline."))
            .Publish(context => new PaymentExpired(
                context.Saga.PaymentId,
                context.Saga.CustomerId,
                context.Saga.Attempts,
                context.Saga.UpdatedAt
            ))
            .TransitionTo(Expired);
}
