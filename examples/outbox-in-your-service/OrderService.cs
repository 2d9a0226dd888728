using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Sagas.Examples.OutboxInYourService;

/// <summary>A service that stores orders, announces each once, and counts the announcements once.</summary>
public static class OrderService
{
    /// <summary>Builds the service.</summary>
    /// <param name="args">Configuration: <c>--ConnectionStrings:Postgres=…</c> and <c>--RabbitMq:Uri=…</c>.</param>
    public static WebApplication Create(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddDbContext<OrdersContext>(options =>
            options.UseNpgsql(builder.Configuration.GetConnectionString("Postgres"))
        );
        // Before the bus, whose outbox needs its tables.
        builder.Services.AddHostedService<CreateTables>();
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddEntityFrameworkOutbox<OrdersContext>(outbox => outbox.UseBusOutbox());
            bus.AddConfigureEndpointsCallback(
                (context, _, endpoint) => endpoint.UseEntityFrameworkOutbox<OrdersContext>(context)
            );
            bus.AddConsumer<OrderPlacedConsumer>();
            bus.UsingRabbitMq(
                (context, rabbitMq) =>
                {
                    rabbitMq.Host(builder.Configuration.GetValue<Uri>("RabbitMq:Uri"));
                    rabbitMq.ConfigureEndpoints(context);
                }
            );
        });

        var app = builder.Build();
        app.MapPost("/orders/{product}", PlaceAsync);
        app.MapGet("/announced", (OrdersContext db) => db.Announced.CountAsync());
        return app;
    }

    // The order and its message are committed together, or neither is.
    private static async Task<Order> PlaceAsync(string product, OrdersContext db, IPublishEndpoint publish)
    {
        var order = new Order { Id = NewId.NextGuid(), Product = product };
        db.Add(order);
        await publish.Publish(new OrderPlaced(order.Id));
        await db.SaveChangesAsync();
        return order;
    }
}

/// <summary>An order was placed.</summary>
/// <param name="OrderId">The order.</param>
public sealed record OrderPlaced(Guid OrderId);

// However often the message is delivered, its row is written once.
internal sealed class OrderPlacedConsumer(OrdersContext db) : IConsumer<OrderPlaced>
{
    public Task Consume(ConsumeContext<OrderPlaced> context)
    {
        db.Add(new Announced { Id = NewId.NextGuid(), OrderId = context.Message.OrderId });
        return Task.CompletedTask;
    }
}

internal sealed class CreateTables(IServiceScopeFactory scopes) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<OrdersContext>().Database.EnsureCreatedAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
