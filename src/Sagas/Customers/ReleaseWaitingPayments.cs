using MassTransit;
using Sagas.Contracts;

namespace Sagas.Customers;

/// <summary>When a customer becomes known, the payments that wait for it become due immediately.</summary>
/// <param name="directory">Where they wait.</param>
public sealed class ReleaseWaitingPayments(ICustomerDirectory directory)
    : IStateMachineActivity<CustomerState, CustomerRegistered>
{
    /// <inheritdoc />
    public async Task Execute(
        BehaviorContext<CustomerState, CustomerRegistered> context,
        IBehavior<CustomerState, CustomerRegistered> next
    )
    {
        var crossing = await directory.ReleaseWaitingPaymentsAsync(context.Saga.CustomerId, context.CancellationToken);

        // A payment that is looking for the customer right now may have looked before this transaction commits, and would then
        // wait for its next redelivery, which can be the longest wait. The message makes it look once more; one that has moved on
        // ignores it.
        foreach (var paymentId in crossing)
            await context.Publish(new PaymentRedeliveryDue(paymentId), context.CancellationToken);
        await next.Execute(context);
    }

    /// <inheritdoc />
    public Task Faulted<TException>(
        BehaviorExceptionContext<CustomerState, CustomerRegistered, TException> context,
        IBehavior<CustomerState, CustomerRegistered> next
    )
        where TException : Exception => next.Faulted(context);

    /// <inheritdoc />
    public void Probe(ProbeContext context) => context.CreateScope("releaseWaitingPayments");

    /// <inheritdoc />
    public void Accept(StateMachineVisitor visitor) => visitor.Visit(this);
}
