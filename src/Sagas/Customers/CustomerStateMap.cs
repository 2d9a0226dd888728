using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Sagas.Customers;

internal sealed class CustomerStateMap : SagaClassMap<CustomerState>
{
    protected override void Configure(EntityTypeBuilder<CustomerState> entity, ModelBuilder model)
    {
        entity.ToTable("customer_state");
        entity.Property<uint>("xmin").IsRowVersion();
    }
}
