using MassTransit;
using Sagas.Contracts;

namespace Sagas.Customers;

/// <summary>When a customer becomes known, the payments that wait for it are woken.</summary>
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
        // Published with the commit, so that the payment finds the customer. One that has moved on ignores it.
        foreach (var paymentId in await directory.FindWaitingPaymentsAsync(context.Saga.CustomerId, context.CancellationToken))
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
