using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Sagas.Persistence;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>Adds one to a counter, which is created where there is none.</summary>
public sealed record Counted(Guid CounterId);

/// <summary>The state of a counter.</summary>
public interface ICounter : SagaStateMachineInstance
{
    string CurrentState { get; set; }

    int Count { get; }

    void Increment();
}

internal class CounterMachine<TCounter> : MassTransitStateMachine<TCounter>
    where TCounter : class, ICounter, new()
{
    public CounterMachine()
        : this(insertOnInitial: false) { }

    protected CounterMachine(bool insertOnInitial)
    {
        InstanceState(counter => counter.CurrentState);
        Event(
            () => Counted,
            e =>
            {
                e.CorrelateById(context => context.Message.CounterId);
                e.InsertOnInitial = insertOnInitial;
                e.SetSagaFactory(context => new TCounter { CorrelationId = context.Message.CounterId });
            }
        );
        Initially(
            When(Counted)
                .Then(context => context.Saga.Increment())
                .Publish(context => new WorkDone("counted", context.Saga.Count))
                .TransitionTo(Active)
        );
        During(
            Active,
            When(Counted)
                .Then(context => context.Saga.Increment())
                .Publish(context => new WorkDone("counted", context.Saga.Count))
        );
    }

    public State Active { get; protected set; } = null!;

    public Event<Counted> Counted { get; protected set; } = null!;
}

/// <summary>A counter of plain columns.</summary>
public sealed class Counter : ICounter
{
    public Guid CorrelationId { get; set; }

    public string CurrentState { get; set; } = "";

    public int Count { get; set; }

    public void Increment() => Count++;
}

/// <summary>Part of a counter.</summary>
public sealed class Tally
{
    public int Count { get; set; }

    public List<string> Marks { get; init; } = [];
}

/// <summary>A counter with parts: in columns, in a JSON column, and owned in a JSON column.</summary>
public sealed class TallyCounter : ICounter
{
    public Guid CorrelationId { get; set; }

    public string CurrentState { get; set; } = "";

    public Tally InColumns { get; set; } = new();

    public Tally InJson { get; set; } = new();

    public Tally Owned { get; set; } = new();

    public int Count => InColumns.Count;

    public void Increment()
    {
        foreach (var tally in (Tally[])[InColumns, InJson, Owned])
            tally.Count++;
        InJson.Marks.Add("x");
        Owned.Marks.Add("x");
    }
}

internal sealed class CounterMap : SagaClassMap<Counter>;

internal sealed class RowVersionCounterMap : SagaClassMap<Counter>
{
    protected override void Configure(EntityTypeBuilder<Counter> entity, ModelBuilder model) =>
        entity.Property<uint>("Version").IsRowVersion();
}

internal sealed class TallyCounterMap : SagaClassMap<TallyCounter>
{
    protected override void Configure(EntityTypeBuilder<TallyCounter> entity, ModelBuilder model)
    {
        entity.Property<uint>("xmin").IsRowVersion();
        entity.ComplexProperty(counter => counter.InColumns).Ignore(tally => tally.Marks);
        entity.ComplexProperty(counter => counter.InJson, tally => tally.ToJson("in_json"));
        entity.OwnsOne(counter => counter.Owned, tally => tally.ToJson("owned"));
    }
}

/// <summary>A context of counters, with the outbox's tables and none of the calls that the product adds.</summary>
internal class CounterContext(DbContextOptions options) : SagaDbContext(options)
{
    protected override IEnumerable<ISagaClassMap> Configurations => [new CounterMap()];

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddTransactionalOutboxEntities();
    }
}

/// <summary>Tables in a schema of their own.</summary>
internal sealed class SchemaContext(DbContextOptions<SchemaContext> options) : CounterContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema("shop");
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddSagaTransitionEntity();
    }
}

/// <summary>Sagas and their history, without an outbox.</summary>
internal sealed class OnlyHistoryContext(DbContextOptions<OnlyHistoryContext> options) : SagaDbContext(options)
{
    protected override IEnumerable<ISagaClassMap> Configurations => [new CounterMap()];

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddSagaTransitionEntity();
    }
}

/// <summary>Tables with names of the program's own.</summary>
internal sealed class RenamedContext(DbContextOptions<RenamedContext> options) : SagaDbContext(options)
{
    protected override IEnumerable<ISagaClassMap> Configurations => [new RowVersionCounterMap()];

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddInboxStateEntity(inbox => inbox.ToTable("Inbox", "messages"));
        modelBuilder.AddOutboxMessageEntity(outbox => outbox.ToTable("Outbox", "messages"));
        modelBuilder.AddOutboxStateEntity(instance => instance.ToTable("Instance", "messages"));
        modelBuilder.UseSnakeCaseColumns();
    }
}

internal sealed class TallyContext(DbContextOptions<TallyContext> options) : CounterContext(options)
{
    protected override IEnumerable<ISagaClassMap> Configurations => [new TallyCounterMap()];
}

/// <summary>Counters that a first message inserts at once.</summary>
internal sealed class InsertingCounterMachine() : CounterMachine<Counter>(insertOnInitial: true);

/// <summary>The tables of the package, with their default names.</summary>
internal sealed class HistoryContext(DbContextOptions<HistoryContext> options) : CounterContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddSagaTransitionEntity();
    }
}
