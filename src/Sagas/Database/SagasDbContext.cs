using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Sagas.Customers;
using Sagas.Payments;
using Sagas.Persistence;

namespace Sagas.Database;

/// <summary>The database: sagas, inbox, outbox and history.</summary>
/// <param name="options">Connection and provider; Npgsql.</param>
public sealed class SagasDbContext(DbContextOptions<SagasDbContext> options) : SagaDbContext(options)
{
    private readonly IReadOnlyList<ISagaClassMap> _moduleMaps = options.FindExtension<SagaMapsExtension>()?.Maps ?? [];

    /// <summary>Customers.</summary>
    public DbSet<CustomerState> Customers => Set<CustomerState>();

    /// <summary>Payments.</summary>
    public DbSet<PaymentState> Payments => Set<PaymentState>();

    /// <inheritdoc />
    protected override IEnumerable<ISagaClassMap> Configurations =>
        [new CustomerStateMap(), new PaymentStateMap(), .. _moduleMaps];

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddTransactionalOutboxEntities();
        modelBuilder.AddSagaTransitionEntity();
        modelBuilder
            .Entity<OutboxMessage>()
            .HasIndex(message => message.CorrelationId)
            .HasDatabaseName("outbox_message_digest")
            .HasFilter("message_type = 'urn:message:Sagas.Contracts:AlarmDigest'");
        modelBuilder.UseSnakeCaseColumns();
    }
}
