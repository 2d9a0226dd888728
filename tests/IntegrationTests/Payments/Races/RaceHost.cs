using System.Collections.Concurrent;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Contracts;
using Sagas.Customers;
using Sagas.Database;
using Sagas.Payments;
using Sagas.Persistence;
using RedeliveryOptions = Sagas.Payments.RedeliveryOptions;

namespace Sagas.IntegrationTests.Payments.Races;

/// <summary>Both sagas with inbox, outbox and scheduler on real Postgres, and transactions that a test can hold.</summary>
internal sealed class RaceHost : IAsyncDisposable
{
    private const string GatewayQueue = "process-payment";

    private readonly TestDatabase _database;
    private readonly NpgsqlDataSource _dataSource;
    private readonly IHost _host;

    // By message id: a message that is sent again counts once.
    private readonly ConcurrentDictionary<Guid, string> _processPayments = [];

    private RaceHost(TestDatabase database, RedeliveryOptions options)
    {
        _database = database;
        _dataSource = NpgsqlDataSource.Create(database.ConnectionString);
        _host = Create(options);
    }

    public Pauses Pauses { get; } = new();

    public NpgsqlDataSource Database => _dataSource;

    public static async Task<RaceHost> StartAsync(ServersFixture servers, TimeSpan increment)
    {
        var race = new RaceHost(
            await servers.CreateDatabaseAsync("races"),
            new RedeliveryOptions { BaseDelay = increment, MaxDelay = increment * 10 }
        );
        await race._host.StartAsync();
        return race;
    }

    public Task PublishAsync<T>(T message)
        where T : class => _host.Services.GetRequiredService<IBus>().Publish(message);

    /// <summary>Awaits that a condition on the database holds.</summary>
    public Task UntilAsync(string condition) => Eventually.TrueAsync(condition, () => QueryAsync<bool>($"SELECT {condition}"));

    public Task UntilPaymentIsAsync(string state, string paymentId = "p1") =>
        UntilAsync($"EXISTS (SELECT FROM payment_state WHERE payment_id = '{paymentId}' AND current_state = '{state}')");

    public Task UntilCustomerIsKnownAsync(string customerId = "c1") =>
        UntilAsync($"EXISTS (SELECT FROM customer_state WHERE customer_id = '{customerId}')");

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var command = _dataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Waits until the outbox is empty, and returns the payment id of each published ProcessPayment.</summary>
    public async Task<string[]> ProcessPaymentsAsync(int expected)
    {
        await Eventually.TrueAsync($"{expected} ProcessPayment are published", () => _processPayments.Count >= expected);
        await UntilAsync("NOT EXISTS (SELECT FROM outbox_message)");
        return [.. _processPayments.Values];
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        await _dataSource.DisposeAsync();
        await _database.DisposeAsync();
    }

    private IHost Create(RedeliveryOptions options)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddDbContextPool<SagasDbContext>(db => db.UseNpgsql(_dataSource));
        builder.Services.AddSingleton(Options.Create(options));
        builder.Services.AddSingleton(Options.Create(new CustomerSyncOptions { Enabled = false }));
        builder.Services.AddSingleton(Pauses);
        builder.Services.AddSingleton(_processPayments);
        builder.Services.Configure<MassTransitHostOptions>(host => host.WaitUntilStarted = true);
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddEntityFrameworkOutbox<SagasDbContext>(outbox =>
            {
                outbox.UsePostgres();
                outbox.UseBusOutbox();
            });
            bus.AddEntityFrameworkMessageScheduler();
            bus.AddSagas();
            bus.AddSingleton<CustomerDirectory>();
            bus.AddSingleton<ICustomerDirectory, PausingDirectory>();
            bus.AddConsumer<ProcessPaymentConsumer>().Endpoint(endpoint => endpoint.Name = GatewayQueue);
            bus.AddConfigureEndpointsCallback(
                (context, queue, endpoint) =>
                {
                    // Without an inbox, the gateway's side sees each published message, including one too many.
                    if (queue == GatewayQueue)
                        return;
                    endpoint.UseMessageRetry(retry => retry.Interval(20, TimeSpan.FromMilliseconds(20)));
                    endpoint.UseEntityFrameworkOutbox<SagasDbContext>(context);
                }
            );
            bus.UsingInMemory(
                (context, configurator) =>
                {
                    configurator.UseEntityFrameworkMessageScheduler(context);
                    configurator.ConfigureEndpoints(context);
                }
            );
        });
        return builder.Build();
    }

    private sealed class ProcessPaymentConsumer(ConcurrentDictionary<Guid, string> processPayments) : IConsumer<ProcessPayment>
    {
        public Task Consume(ConsumeContext<ProcessPayment> context)
        {
            processPayments.TryAdd(context.MessageId!.Value, context.Message.PaymentId);
            return Task.CompletedTask;
        }
    }
}
