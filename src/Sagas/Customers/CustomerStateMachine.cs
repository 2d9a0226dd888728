using MassTransit;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.Payments;

namespace Sagas.Customers;

/// <summary>
/// The life of a customer: known from the first registration on, with the newest data that any registration brought. The CRM is
/// told of each version of the data by one call, and one call at a time, so that it never ends with old data.
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
            When(CustomerRegistered)
                .Then(Create)
                .Activity(x => x.OfType<ReleaseWaitingPayments>())
                .TransitionTo(Registered)
                .If(HasCrm, Sync));

        During(Registered, Synced, SyncFailed,
            When(CustomerRegistered, IsChange)
                .Then(Update)
                .IfElse(HasCrm, Sync, Rest));

        // One call at a time: what is told when this one is over is the newest then.
        During(Syncing,
            When(CustomerRegistered, IsChange)
                .Then(Update),
            When(CustomerSynced)
                .Then(NoteSynced)
                .IfElse(IsOfCurrentData, x => x.TransitionTo(Synced), Next),
            When(CustomerSyncFailed)
                .Then(CheckVersion)
                .IfElse(IsOfCurrentData, GiveUp, Next));

        During(Registered, Syncing, Synced, SyncFailed,
            When(CustomerRegistered, context => IsCurrent(context) && HasSameData(context))
                .Then(context => context.Saga.RegisteredAt = RegisteredAt(context)),
            Ignore(CustomerRegistered, context => !IsCurrent(context)));

        // A call that was given up may turn out to have been made.
        During(Registered, Synced, SyncFailed,
            When(CustomerSynced, IsNews)
                .Then(NoteSynced)
                .If(IsOfCurrentData, x => x.TransitionTo(Synced)),
            Ignore(CustomerSynced, context => !IsNews(context)));
        During(SyncFailed,
            When(CustomerSyncFailed, IsOfCurrentData)
                .Then(NoteFailure),
            Ignore(CustomerSyncFailed, context => !IsOfCurrentData(context)));

        During(Registered, SyncFailed,
            When(RetryCustomerSync)
                .Then(RefuseWithoutCrm)
                .Then(Touch)
                .Publish(context => new SyncCustomer(context.Saga.CustomerId, context.Saga.Version, Retry: true))
                .TransitionTo(Syncing));

        // A retry that comes too late has nothing left to do, and what was settled stays settled.
        During(Syncing, Synced, Ignore(RetryCustomerSync));
        During(Registered, Synced, Ignore(CustomerSyncFailed));
    }

    /// <summary>The customer is known here; no CRM is told.</summary>
    public State Registered { get; private set; } = null!;

    /// <summary>The CRM is being told.</summary>
    public State Syncing { get; private set; } = null!;

    /// <summary>The CRM knows the customer as this row does.</summary>
    public State Synced { get; private set; } = null!;

    /// <summary>The CRM could not be told.</summary>
    public State SyncFailed { get; private set; } = null!;

    /// <summary>A system tells of a customer.</summary>
    public Event<CustomerRegistered> CustomerRegistered { get; private set; } = null!;

    /// <summary>The CRM has a version of the data.</summary>
    public Event<CustomerSynced> CustomerSynced { get; private set; } = null!;

    /// <summary>The CRM could not be told of a version of the data.</summary>
    public Event<CustomerSyncFailed> CustomerSyncFailed { get; private set; } = null!;

    /// <summary>An operator has the CRM told again.</summary>
    public Event<RetryCustomerSync> RetryCustomerSync { get; private set; } = null!;

    private static void Existing<T>(IEventCorrelationConfigurator<CustomerState, T> configurator, Func<T, string> customerId)
        where T : class
    {
        configurator.CorrelateById(context => SagaIdentity.Customer(customerId(context.Message)));
        configurator.OnMissingInstance(missing => missing.Execute(context =>
            throw new MessageRefusedException($"There is no customer {customerId(context.Message)}.")));
    }

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

    private static bool IsChange(BehaviorContext<CustomerState, CustomerRegistered> context) => IsCurrent(context) && !HasSameData(context);

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

    private bool HasCrm(BehaviorContext<CustomerState> context) => _hasCrm;

    private static bool IsOfCurrentData(BehaviorContext<CustomerState, CustomerSynced> context) => context.Message.Version == context.Saga.Version;

    private static bool IsOfCurrentData(BehaviorContext<CustomerState, CustomerSyncFailed> context) => context.Message.Version == context.Saga.Version;

    private static bool IsNews(BehaviorContext<CustomerState, CustomerSynced> context) => !(context.Message.Version <= context.Saga.SyncedVersion);

    private static void NoteSynced(BehaviorContext<CustomerState, CustomerSynced> context)
    {
        var customer = context.Saga;
        CheckVersion(customer, context.Message.Version);
        customer.SyncedVersion = Math.Max(customer.SyncedVersion ?? 0, context.Message.Version);
        customer.UpdatedAt = context.Now();
        if (context.Message.Version == customer.Version)
            customer.SyncFailure = null;
    }

    private static void CheckVersion(BehaviorContext<CustomerState, CustomerSyncFailed> context) =>
        CheckVersion(context.Saga, context.Message.Version);

    private static void CheckVersion(CustomerState customer, int version)
    {
        if (version < 1 || version > customer.Version)
            throw new MessageRefusedException($"Customer {customer.CustomerId} has no version {version}; the newest is {customer.Version}.");
    }

    private EventActivityBinder<CustomerState, CustomerSyncFailed> GiveUp(EventActivityBinder<CustomerState, CustomerSyncFailed> binder) =>
        binder.Then(NoteFailure).TransitionTo(SyncFailed);

    private static void NoteFailure(BehaviorContext<CustomerState, CustomerSyncFailed> context)
    {
        context.Saga.SyncFailure = context.Message.Reason;
        context.Saga.UpdatedAt = context.Now();
    }

    private void RefuseWithoutCrm(BehaviorContext<CustomerState> context)
    {
        if (!_hasCrm)
            throw new MessageRefusedException($"Customer {context.Saga.CustomerId} cannot be synced: there is no CRM (Crm:Enabled is false).");
    }

    private EventActivityBinder<CustomerState, T> Next<T>(EventActivityBinder<CustomerState, T> binder)
        where T : class => binder.IfElse(HasCrm, Sync, Rest);

    private EventActivityBinder<CustomerState, T> Sync<T>(EventActivityBinder<CustomerState, T> binder)
        where T : class => binder
        .Then(Touch)
        .Publish(context => new SyncCustomer(context.Saga.CustomerId, context.Saga.Version))
        .TransitionTo(Syncing);

    private EventActivityBinder<CustomerState, T> Rest<T>(EventActivityBinder<CustomerState, T> binder)
        where T : class => binder.Then(Touch).TransitionTo(Registered);

    private static void Touch(BehaviorContext<CustomerState> context)
    {
        context.Saga.SyncFailure = null;
        context.Saga.UpdatedAt = context.Now();
    }
}
