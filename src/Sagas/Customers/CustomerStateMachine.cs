using MassTransit;
using Microsoft.Extensions.Options;
using Sagas.Contracts;

namespace Sagas.Customers;

/// <summary>
/// The life of a customer: known from the first registration on, with the newest data of all registrations, which the CRM gets.
/// What each event changes is decided by <see cref="CustomerTransitions"/>.
/// </summary>
public sealed class CustomerStateMachine : MassTransitStateMachine<CustomerState>
{
    private readonly bool _hasCrm;

    /// <summary>Builds the machine.</summary>
    /// <param name="options">Whether there is a CRM.</param>
    public CustomerStateMachine(IOptions<CustomerSyncOptions> options)
    {
        _hasCrm = options.Value.Enabled;
        InstanceState(customer => customer.CurrentState);
        Event(() => CustomerRegistered, e => e.CorrelateById(context => SagaIdentity.Customer(context.Message.CustomerId)));
        Event(() => CustomerSynced, e => Existing(e, message => message.CustomerId));
        Event(() => CustomerSyncFailed, e => Existing(e, message => message.CustomerId));
        Event(() => RetryCustomerSync, e => Existing(e, message => message.CustomerId));

        Initially(
            When(CustomerRegistered).Then(Create).Activity(x => x.OfType<ReleaseWaitingPayments>()).ThenAsync(RegisterFirstAsync)
        );

        During(
            Registered,
            Syncing,
            Synced,
            SyncFailed,
            When(CustomerRegistered).ThenAsync(RegisterAsync),
            When(CustomerSynced).ThenAsync(RecordSyncedAsync),
            When(CustomerSyncFailed).ThenAsync(RecordSyncFailedAsync),
            When(RetryCustomerSync).ThenAsync(RetrySyncAsync)
        );
    }

    /// <summary>The customer is known here; the CRM is not called.</summary>
    public State Registered { get; private set; } = null!;

    /// <summary>The CRM is being called.</summary>
    public State Syncing { get; private set; } = null!;

    /// <summary>The CRM has the data of this row.</summary>
    public State Synced { get; private set; } = null!;

    /// <summary>The CRM rejected the data, or the call was parked.</summary>
    public State SyncFailed { get; private set; } = null!;

    /// <summary>A system registers a customer.</summary>
    public Event<CustomerRegistered> CustomerRegistered { get; private set; } = null!;

    /// <summary>The CRM has a version of the data.</summary>
    public Event<CustomerSynced> CustomerSynced { get; private set; } = null!;

    /// <summary>The CRM rejected a version of the data, or the call was parked.</summary>
    public Event<CustomerSyncFailed> CustomerSyncFailed { get; private set; } = null!;

    /// <summary>An operator retries the call to the CRM.</summary>
    public Event<RetryCustomerSync> RetryCustomerSync { get; private set; } = null!;

    private static void Existing<T>(IEventCorrelationConfigurator<CustomerState, T> configurator, Func<T, string> customerId)
        where T : class
    {
        configurator.CorrelateById(context => SagaIdentity.Customer(customerId(context.Message)));
        configurator.OnMissingInstance(missing =>
            missing.Execute(context => throw new InvalidMessageException($"There is no customer {customerId(context.Message)}."))
        );
    }

    private static void Create(BehaviorContext<CustomerState, CustomerRegistered> context)
    {
        context.Saga.CustomerId = context.Message.CustomerId.Trim();
        context.Saga.CreatedAt = context.Now();
    }

    private Task RegisterFirstAsync(BehaviorContext<CustomerState, CustomerRegistered> context)
    {
        context.Saga.Hold(DataOf(context), Value(context.Message.Source));
        return ApplyAsync(context, CustomerTransitions.RegisterFirst(_hasCrm));
    }

    private Task RegisterAsync(BehaviorContext<CustomerState, CustomerRegistered> context)
    {
        var (customer, registration) = (context.Saga, DataOf(context));
        var transition = CustomerTransitions.Register(customer.Status, customer.Data, registration, _hasCrm);
        if (transition.Change == CustomerChange.Data)
            customer.Hold(registration, Value(context.Message.Source));
        else if (transition.Change == CustomerChange.Time)
            customer.RegisteredAt = registration.RegisteredAt;
        return ApplyAsync(context, transition);
    }

    private Task RecordSyncedAsync(BehaviorContext<CustomerState, CustomerSynced> context)
    {
        var version = context.Message.Version;
        var transition = CustomerTransitions.RecordSynced(context.Saga.Status, version, _hasCrm);
        CheckVersion(context.Saga, version, transition);
        return ApplyAsync(context, transition);
    }

    private Task RecordSyncFailedAsync(BehaviorContext<CustomerState, CustomerSyncFailed> context)
    {
        var version = context.Message.Version;
        var transition = CustomerTransitions.RecordSyncFailed(context.Saga.Status, version, context.Message.Reason, _hasCrm);
        CheckVersion(context.Saga, version, transition);
        return ApplyAsync(context, transition);
    }

    private Task RetrySyncAsync(BehaviorContext<CustomerState, RetryCustomerSync> context)
    {
        var transition = CustomerTransitions.RetrySync(context.Saga.Status, _hasCrm);
        if (transition.Change != CustomerChange.None && !_hasCrm)
        {
            throw new InvalidMessageException(
                $"Customer {context.Saga.CustomerId} cannot be synced: there is no CRM (Crm:Enabled is false)."
            );
        }

        return ApplyAsync(context, transition, retry: true);
    }

    private async Task ApplyAsync<T>(BehaviorContext<CustomerState, T> context, CustomerTransition transition, bool retry = false)
        where T : class
    {
        if (transition.Change is CustomerChange.None or CustomerChange.Time)
            return;
        var (customer, status) = (context.Saga, transition.Status);
        customer.Version = status.Version;
        customer.SyncedVersion = status.SyncedVersion;
        customer.SyncFailure = status.SyncFailure;
        customer.UpdatedAt = context.Now();
        if (transition.CallsCrm)
            await context.Publish(new SyncCustomer(customer.CustomerId, customer.Version, retry), context.CancellationToken);
        await context.TransitionToState(GetState(status.State));
    }

    // To the microsecond, as Postgres keeps it: otherwise the same message again would seem newer than the row it created.
    private static CustomerData DataOf(BehaviorContext<CustomerState, CustomerRegistered> context)
    {
        var message = context.Message;
        var time = message.RegisteredAt?.ToUniversalTime() ?? context.SentTime ?? context.Now();
        var registeredAt = time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));
        return new CustomerData(
            Value(message.FirstName),
            Value(message.LastName),
            Value(message.Email),
            Value(message.Phone),
            registeredAt
        );
    }

    // As in a file: an empty text is none, and white space around it does not count.
    private static string? Value(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static void CheckVersion(CustomerState customer, int version, CustomerTransition transition)
    {
        if (transition.Change != CustomerChange.None && (version < 1 || version > customer.Version))
        {
            throw new InvalidMessageException(
                $"Customer {customer.CustomerId} has no version {version}; the newest is {customer.Version}."
            );
        }
    }
}
