using MassTransit;
using MassTransit.Saga;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Sagas.Contracts;
using Sagas.Customers;
using Sagas.Payments;
using RedeliveryOptions = Sagas.Payments.RedeliveryOptions;

namespace Sagas.UnitTests.Payments.StateMachine;

/// <summary>
/// Both sagas on the in-memory transport. With a clock that the test moves, scheduled messages are due in days and the test
/// delivers them. With the system clock, MassTransit's in-memory delay delivers them.
/// </summary>
internal sealed class SagasInMemory : IAsyncDisposable
{
    private readonly ServiceProvider _provider;
    private readonly Recorder _recorder = new();

    private SagasInMemory(ServiceProvider provider, FakeTimeProvider timeProvider)
    {
        _provider = provider;
        Clock = timeProvider;
        Harness = provider.GetTestHarness();
    }

    public FakeTimeProvider Clock { get; }

    public ITestHarness Harness { get; }

    public static async Task<SagasInMemory> StartAsync(
        RedeliveryOptions? options = null,
        TimeProvider? timeProvider = null,
        bool crm = false
    )
    {
        // Ahead of the system clock, so that nothing scheduled by this clock is due by the other while a test runs.
        var clock = new FakeTimeProvider(new(DateTime.UtcNow.Date.AddDays(2).AddHours(9), TimeSpan.Zero));
        var services = new ServiceCollection();
        services.AddSingleton(timeProvider ?? clock);
        services.AddSingleton(Options.Create(options ?? new RedeliveryOptions()));
        services.AddSingleton(Options.Create(new CustomerSyncOptions { Enabled = crm }));
        services.AddScoped<ICustomerDirectory, InMemoryCustomerDirectory>();
        services.AddScoped<ReleaseWaitingPayments>();
        services.AddMassTransitTestHarness(
            TextWriter.Null,
            bus =>
            {
                bus.AddSagaStateMachine<CustomerStateMachine, CustomerState, CustomerStateMachineDefinition>()
                    .InMemoryRepository();
                bus.AddSagaStateMachine<PaymentStateMachine, PaymentState, PaymentStateMachineDefinition>().InMemoryRepository();
            }
        );
        var sagas = new SagasInMemory(services.BuildServiceProvider(validateScopes: true), clock);
        await sagas.Harness.Start();
        sagas.Harness.Bus.ConnectConsumeObserver(sagas._recorder);
        sagas.Harness.Bus.ConnectPublishObserver(sagas._recorder);
        return sagas;
    }

    public CustomerState? Customer(string customerId) => Find<CustomerState>(SagaIdentity.Customer(customerId));

    public PaymentState? Payment(string paymentId) => Find<PaymentState>(SagaIdentity.Payment(paymentId));

    /// <summary>Publishes a message and waits until it has been consumed, including everything that it published.</summary>
    /// <returns>The exception, or null if it was consumed.</returns>
    public async Task<Exception?> DeliverAsync<T>(T message, Guid? scheduleToken = null)
        where T : class
    {
        var messageId = NewId.NextGuid();
        var consumed = _recorder.ExpectMessage(messageId);
        await Harness.Bus.Publish(
            message,
            context =>
            {
                context.MessageId = messageId;
                if (scheduleToken is { } token)
                    context.Headers.Set(MessageHeaders.SchedulingTokenId, token.ToString("D"));
            }
        );
        return await consumed.WaitAsync(Eventually.Timeout);
    }

    /// <summary>Moves the clock to when the payment is due, and delivers its scheduled message.</summary>
    /// <returns>The payment after it.</returns>
    public async Task<PaymentState> RedeliverWhenDueAsync(string paymentId)
    {
        var payment = Payment(paymentId)!;
        Clock.SetUtcNow(payment.NextDueAt!.Value);
        Assert.Null(await DeliverAsync(new PaymentRedeliveryDue(paymentId), payment.RedeliveryTokenId));
        return payment;
    }

    /// <summary>Waits until a message is published.</summary>
    public async Task<T> PublishedAsync<T>(Func<T, bool>? filter = null)
        where T : class
    {
        // The recorder rather than the test harness, so that Published contains what was awaited here.
        await Eventually.TrueAsync($"{typeof(T).Name} is published", () => Published<T>().Any(filter ?? (_ => true)));
        return Published<T>().First(filter ?? (_ => true));
    }

    /// <summary>Everything of a type that was published so far.</summary>
    public IReadOnlyList<T> Published<T>() => _recorder.Published<T>();

    public async ValueTask DisposeAsync()
    {
        await Harness.Stop();
        await _provider.DisposeAsync();
    }

    private TSaga? Find<TSaga>(Guid correlationId)
        where TSaga : class, ISaga => _provider.GetRequiredService<IndexedSagaDictionary<TSaga>>()[correlationId]?.Instance;

    // Known customers are those in the customer saga's repository.
    private sealed class InMemoryCustomerDirectory(
        IndexedSagaDictionary<CustomerState> customers,
        IndexedSagaDictionary<PaymentState> payments
    ) : ICustomerDirectory
    {
        public async Task<bool> IsKnownAsync(string customerId, CancellationToken cancellationToken)
        {
            await customers.MarkInUse(cancellationToken);
            var known = customers[SagaIdentity.Customer(customerId)] is not null;
            customers.Release();
            return known;
        }

        public async Task<IReadOnlyList<string>> FindWaitingPaymentsAsync(string customerId, CancellationToken cancellationToken)
        {
            await payments.MarkInUse(cancellationToken);
            string[] waiting =
            [
                .. payments
                    .Select(payment => payment)
                    .Where(payment =>
                        payment.CustomerId == customerId.Trim()
                        && payment.CurrentState == nameof(PaymentStateMachine.AwaitingCustomer)
                    )
                    .Select(payment => payment.PaymentId),
            ];
            payments.Release();
            return waiting;
        }
    }
}
