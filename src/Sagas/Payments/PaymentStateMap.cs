using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Sagas.Payments;

internal sealed class PaymentStateMap : SagaClassMap<PaymentState>
{
    protected override void Configure(EntityTypeBuilder<PaymentState> entity, ModelBuilder model)
    {
        entity.ToTable("payment_state");
        entity.HasIndex(payment => payment.PaymentId).IsUnique().HasDatabaseName("payment_state_payment_id_key");
        entity.HasIndex(payment => payment.CustomerId, "payment_state_customer");
        entity.HasIndex(payment => payment.CustomerId, "payment_state_waiting").HasFilter("current_state = 'AwaitingCustomer'");
        entity.HasIndex(payment => payment.CreatedAt).HasDatabaseName("payment_state_created");
        entity
            .HasIndex(payment => new { payment.CurrentState, payment.CreatedAt })
            .HasDatabaseName("payment_state_open")
            .HasFilter("current_state = ANY (ARRAY['AwaitingCustomer'::text, 'Failed'::text, 'Expired'::text])");
        entity.Property(payment => payment.Amount).HasPrecision(19, 4);
        entity.Property(payment => payment.Attempts).HasDefaultValue(0);
        entity.Property<uint>("xmin").IsRowVersion();
    }
}
