using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Sagas.Persistence;

namespace Sagas.Benchmarks;

/// <summary>Starts a saga of the benchmark.</summary>
/// <param name="OrderId">The saga.</param>
/// <param name="Amount">Something to store.</param>
public sealed record OrderSubmitted(Guid OrderId, decimal Amount);

/// <summary>What each saga of the benchmark publishes.</summary>
/// <param name="OrderId">The saga.</param>
/// <param name="Amount">What was stored.</param>
public sealed record OrderAccepted(Guid OrderId, decimal Amount);

internal sealed class OrderState : SagaStateMachineInstance
{
    public Guid CorrelationId { get; set; }

    public string CurrentState { get; set; } = "";

    public decimal Amount { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
}

internal sealed class OrderStateMachine : MassTransitStateMachine<OrderState>
{
    public OrderStateMachine()
    {
        InstanceState(order => order.CurrentState);
        Event(() => OrderSubmitted, e => e.CorrelateById(context => context.Message.OrderId));
        Initially(
            When(OrderSubmitted)
                .Then(context =>
                {
                    context.Saga.Amount = context.Message.Amount;
                    context.Saga.CreatedAt = DateTimeOffset.UtcNow;
                })
                .Publish(context => new OrderAccepted(context.Saga.CorrelationId, context.Saga.Amount))
                .TransitionTo(Accepted)
        );
    }

    public State Accepted { get; private set; } = null!;

    public Event<OrderSubmitted> OrderSubmitted { get; private set; } = null!;
}

internal sealed class OrderStateMap : SagaClassMap<OrderState>
{
    protected override void Configure(EntityTypeBuilder<OrderState> entity, ModelBuilder model)
    {
        entity.ToTable("order_state");
        entity.Property<uint>("xmin").IsRowVersion();
    }
}

internal sealed class BenchmarkDbContext(DbContextOptions<BenchmarkDbContext> options) : SagaDbContext(options)
{
    /// <summary>The saga's table, besides those of the migrations.</summary>
    public const string CreateTable = """
        CREATE TABLE order_state (
            correlation_id uuid PRIMARY KEY,
            current_state text NOT NULL,
            amount numeric(19,4) NOT NULL,
            created_at timestamptz NOT NULL)
        """;

    protected override IEnumerable<ISagaClassMap> Configurations => [new OrderStateMap()];

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddTransactionalOutboxEntities();
        modelBuilder.AddSagaTransitionEntity();
        modelBuilder.UseSnakeCaseColumns();
    }
}
