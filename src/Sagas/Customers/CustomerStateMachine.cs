using MassTransit;
using Sagas.Contracts;
using Sagas.Payments;

namespace Sagas.Customers;

/// <summary>The life of a customer: known from the first registration on, with the newest data that any registration brought.</summary>
public sealed class CustomerStateMachine : MassTransitStateMachine<CustomerState>
{
    /// <summary>Builds the machine.</summary>
    public CustomerStateMachine()
    {
        InstanceState(customer => customer.CurrentState);
        Event(() => CustomerRegistered, e => e.CorrelateById(context => SagaIdentity.Customer(context.Message.CustomerId)));

        Initially(
            When(CustomerRegistered)
                .Then(Create)
                .Activity(x => x.OfType<ReleaseWaitingPayments>())
                .TransitionTo(Registered));

        During(Registered, Syncing, Synced, SyncFailed,
            When(CustomerRegistered, context => IsCurrent(context) && !HasSameData(context))
                .Then(Update),
            When(CustomerRegistered, context => IsCurrent(context) && HasSameData(context))
                .Then(context => context.Saga.RegisteredAt = RegisteredAt(context)),
            Ignore(CustomerRegistered, context => !IsCurrent(context)));
    }

    /// <summary>The customer is known here.</summary>
    public State Registered { get; private set; } = null!;

    /// <summary>The CRM is being told.</summary>
    public State Syncing { get; private set; } = null!;

    /// <summary>The CRM knows the customer as this row does.</summary>
    public State Synced { get; private set; } = null!;

    /// <summary>The CRM could not be told.</summary>
    public State SyncFailed { get; private set; } = null!;

    /// <summary>A system tells of a customer.</summary>
    public Event<CustomerRegistered> CustomerRegistered { get; private set; } = null!;

    private static void Create(BehaviorContext<CustomerState, CustomerRegistered> context)
    {
        var customer = context.Saga;
        customer.CustomerId = context.Message.CustomerId.Trim();
        customer.CreatedAt = context.Now();
        Update(context);
    }

    private static void Update(BehaviorContext<CustomerState, CustomerRegistered> context)
    {
        var (customer, message) = (context.Saga, context.Message);
        customer.FirstName = message.FirstName;
        customer.LastName = message.LastName;
        customer.Email = message.Email;
        customer.Phone = message.Phone;
        customer.Source = message.Source;
        customer.RegisteredAt = RegisteredAt(context);
        customer.Version++;
        customer.UpdatedAt = context.Now();
    }

    // Older data lose, whenever they arrive. The same data again leave the row as it is, but for the time of the data: otherwise
    // data recorded between the two could still overwrite them.
    private static bool IsCurrent(BehaviorContext<CustomerState, CustomerRegistered> context) => RegisteredAt(context) >= context.Saga.RegisteredAt;

    private static bool HasSameData(BehaviorContext<CustomerState, CustomerRegistered> context)
    {
        var (customer, message) = (context.Saga, context.Message);
        return (message.FirstName, message.LastName, message.Email, message.Phone)
            == (customer.FirstName, customer.LastName, customer.Email, customer.Phone);
    }

    // To the microsecond, as Postgres keeps it: otherwise the same message again would seem newer than the row it made.
    private static DateTimeOffset RegisteredAt(BehaviorContext<CustomerState, CustomerRegistered> context)
    {
        var time = context.Message.RegisteredAt?.ToUniversalTime() ?? context.SentTime ?? context.Now();
        return time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
