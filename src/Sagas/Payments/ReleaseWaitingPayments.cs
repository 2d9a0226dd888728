using MassTransit;
using Sagas.Contracts;
using Sagas.Customers;

namespace Sagas.Payments;

/// <summary>When a customer becomes known, the payments that wait for it are due at once.</summary>
/// <param name="directory">Where they wait.</param>
public sealed class ReleaseWaitingPayments(ICustomerDirectory directory) : IStateMachineActivity<CustomerState, CustomerRegistered>
{
    /// <inheritdoc />
    public async Task Execute(BehaviorContext<CustomerState, CustomerRegistered> context, IBehavior<CustomerState, CustomerRegistered> next)
    {
        await directory.ReleaseWaitingPaymentsAsync(context.Saga.CustomerId, context.CancellationToken);
        await next.Execute(context);
    }

    /// <inheritdoc />
    public Task Faulted<TException>(
        BehaviorExceptionContext<CustomerState, CustomerRegistered, TException> context, IBehavior<CustomerState, CustomerRegistered> next)
        where TException : Exception => next.Faulted(context);

    /// <inheritdoc />
    public void Probe(ProbeContext context) => context.CreateScope("releaseWaitingPayments");

    /// <inheritdoc />
    public void Accept(StateMachineVisitor visitor) => visitor.Visit(this);
}
