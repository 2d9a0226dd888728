using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Sagas.Examples.OutboxInYourService;

/// <summary>An order.</summary>
public sealed class Order
{
    /// <summary>The order.</summary>
    public Guid Id { get; set; }

    /// <summary>What was ordered.</summary>
    public string Product { get; set; } = "";
}

/// <summary>An announcement that was consumed.</summary>
internal sealed class Announced
{
    public Guid Id { get; set; }

    public Guid OrderId { get; set; }
}

/// <summary>The service's tables, and those of inbox and outbox beside them.</summary>
internal sealed class OrdersContext(DbContextOptions<OrdersContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    public DbSet<Announced> Announced => Set<Announced>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddTransactionalOutboxEntities();
}
