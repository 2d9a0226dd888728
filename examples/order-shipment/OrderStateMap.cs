using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Sagas.Examples.OrderShipment;

internal sealed class OrderStateMap : SagaClassMap<OrderState>
{
    protected override void Configure(EntityTypeBuilder<OrderState> entity, ModelBuilder model)
    {
        entity.ToTable("order_state");
        entity.HasIndex(order => order.OrderId).IsUnique().HasDatabaseName("order_state_order_id_key");
        // Postgres's own row version: of two messages for one order at the same time, the second is retried.
        entity.Property<uint>("xmin").IsRowVersion();
    }
}
