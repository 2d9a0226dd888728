using System.Threading.Channels;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.IntegrationTests.OutboundCalls;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using Sagas.Services.Payments;

namespace Sagas.IntegrationTests.Payments;

/// <summary>From the command on the bus to the event on the bus, by way of the outbound call and the gateway.</summary>
public sealed class ProcessPaymentTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    [Trait("Category", "Smoke")]
    public async Task A_command_becomes_one_charge_and_one_event()
    {
        await using var gateway = await FailingGateway.StartAsync();
        await using var table = await CallTable.CreateAsync(servers);
        using var host = await StartAsync(table.ConnectionString, gateway.Url);
        var bus = host.Services.GetRequiredService<IBus>();
        var events = host.Services.GetRequiredService<Channel<ConsumeContext<PaymentProcessed>>>().Reader;
        var payment = new ProcessPayment("p-1", "c-1", 12.34m, "EUR");
        var conversation = NewId.NextGuid();

        // Twice, as two messages: the inbox sees different messages; the idempotency key is the same.
        await bus.Publish(payment, context => context.ConversationId = conversation);
        await table.UntilAsync(rows => rows.Count == 1);
        await bus.Publish(payment, context => context.ConversationId = conversation);
        await bus.Publish(payment with { PaymentId = "p-2" });

        using var timeout = new CancellationTokenSource(Eventually.Timeout);
        var both = new[] { await events.ReadAsync(timeout.Token), await events.ReadAsync(timeout.Token) };
        await table.UntilFinishedAsync();
        // All three commands and both events are consumed: a third event would be here by now.
        await Eventually.EqualAsync(5, () => table.CountAsync("SELECT count(*) FROM inbox_state"));
        var first = Assert.Single(both, one => one.Message.PaymentId == "p-1");
        Assert.Single(both, one => one.Message.PaymentId == "p-2");
        var key = SagaIdentity.Payment("p-1").ToString("D");
        Assert.Equal("gw-" + key, first.Message.GatewayReference);
        Assert.Equal((conversation, SagaIdentity.Payment("p-1")), (first.ConversationId, first.CorrelationId));
        Assert.Equal(1, gateway.Requests[key]);
        Assert.Equal(2, gateway.Effects.Count);
        Assert.False(events.TryRead(out _));
        await host.StopAsync();
    }

    [Fact]
    public async Task A_second_command_for_a_payment_with_other_content_fails_with_the_reason()
    {
        await using var gateway = await FailingGateway.StartAsync();
        await using var table = await CallTable.CreateAsync(servers);
        using var host = await StartAsync(table.ConnectionString, gateway.Url);
        var bus = host.Services.GetRequiredService<IBus>();
        var faults = host.Services.GetRequiredService<Channel<ConsumeContext<Fault<ProcessPayment>>>>().Reader;
        var payment = new ProcessPayment("p-1", "c-1", 12.3400m, "EUR");

        await bus.Publish(payment);
        await table.UntilAsync(rows => rows.Count == 1);
        await bus.Publish(payment with { Amount = 12.34m });
        await bus.Publish(payment with { Amount = 12.35m });

        using var timeout = new CancellationTokenSource(Eventually.Timeout);
        var fault = (await faults.ReadAsync(timeout.Token)).Message;
        Assert.Equal(12.35m, fault.Message.Amount);
        Assert.Contains("Payment p-1 was to be processed before", fault.Exceptions[0].Message);
        Assert.Equal(1, await table.CountAsync("SELECT count(*) FROM outbound_call WHERE request ->> 'amount' = '12.34'"));
        Assert.False(faults.TryRead(out _));
        await host.StopAsync();
    }

    private static async Task<IHost> StartAsync(string connection, Uri gateway)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddFilter(level => level >= LogLevel.Warning);
        builder.Configuration.AddInMemoryCollection([
            new("Payments:GatewayUrl", gateway.ToString()),
            new("Payments:Calls:CallTimeout", "01:00:00"),
        ]);
        var payments = new PaymentsModule();
        var feature = new FeatureContext(new RoleSet([PaymentsModule.GatewayRole]), builder.Configuration, new MessagesOptions());
        builder.Services.AddSingleton(Channel.CreateUnbounded<ConsumeContext<PaymentProcessed>>());
        builder.Services.AddSingleton(Channel.CreateUnbounded<ConsumeContext<Fault<ProcessPayment>>>());
        builder.Services.AddDbContextPool<SagasDbContext>(options => options.UseNpgsql(connection));
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddEntityFrameworkOutbox<SagasDbContext>(outbox =>
            {
                outbox.UsePostgres();
                outbox.UseBusOutbox();
            });
            payments.AddConsumers(bus, feature);
            bus.AddConsumer<Witness>();
            bus.AddConfigureEndpointsCallback(
                (context, _, endpoint) => endpoint.UseEntityFrameworkOutbox<SagasDbContext>(context)
            );
            bus.UsingInMemory((context, configurator) => configurator.ConfigureEndpoints(context));
        });
        payments.AddServices(builder.Services, feature);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private sealed class Witness(
        Channel<ConsumeContext<PaymentProcessed>> seen,
        Channel<ConsumeContext<Fault<ProcessPayment>>> faults
    ) : IConsumer<PaymentProcessed>, IConsumer<Fault<ProcessPayment>>
    {
        public Task Consume(ConsumeContext<PaymentProcessed> context) => seen.Writer.WriteAsync(context).AsTask();

        public Task Consume(ConsumeContext<Fault<ProcessPayment>> context) => faults.Writer.WriteAsync(context).AsTask();
    }
}
