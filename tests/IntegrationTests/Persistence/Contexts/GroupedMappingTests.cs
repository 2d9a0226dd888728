using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>Columns of every kind are read and written alike with and without EF Core.</summary>
public sealed class GroupedMappingTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private const string InOwnTransaction = "in a transaction of its own";

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    public async Task A_saga_with_columns_of_many_types_is_loaded_and_saved(int maxGroupSize)
    {
        await using var host = await StartAsync(maxGroupSize);
        var id = NewId.NextGuid();
        for (var count = 1; count <= 3; count++)
        {
            await host.PublishAsync(new Counted(id));
            await host.Arrivals.CountAsync(count);
        }

        Assert.Empty(host.Arrivals.Faults);
        var saved = await host.WithContextAsync(db => db.Set<WideCounter>().SingleAsync());
        var expected = new WideCounter { CorrelationId = id, CurrentState = "Active" };
        for (var count = 1; count <= 3; count++)
            expected.Increment();
        Assert.Equivalent(expected, saved, strict: true);
        Assert.DoesNotContain(host.Log, record => record.Message.Contains(InOwnTransaction, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Empty_columns_stay_empty()
    {
        await using var host = await StartAsync(64);
        var id = NewId.NextGuid();
        for (var count = 1; count <= 2; count++)
        {
            await host.PublishAsync(new Counted(id));
            await host.Arrivals.CountAsync(count);
        }

        var saved = await host.WithContextAsync(db => db.Set<WideCounter>().SingleAsync());
        Assert.Equal(
            (null, null, null, null, null, null),
            (saved.MaybeKind, saved.MaybeAmount, saved.MaybeAt, saved.Note, saved.Link, saved.Tags)
        );
    }

    private Task<ContextHost<WideContext>> StartAsync(int maxGroupSize) =>
        ContextHost<WideContext>.StartAsync(
            servers,
            new()
            {
                Services = services =>
                {
                    services.Configure<LoggerFilterOptions>(options => options.MinLevel = LogLevel.Debug);
                    services.Configure<EntityFrameworkOutboxOptions>(options => options.MaxGroupSize = maxGroupSize);
                },
                Bus = bus =>
                    bus.AddSagaStateMachine<CounterMachine<WideCounter>, WideCounter>()
                        .EntityFrameworkRepository(repository => repository.ExistingDbContext<WideContext>()),
            }
        );
}

public enum Kind
{
    First,
    Second,
}

/// <summary>A counter whose columns have every type that a column usually has. What may be empty is set by each third
/// event.</summary>
public sealed class WideCounter : ICounter
{
    public Guid CorrelationId { get; set; }

    public string CurrentState { get; set; } = "";

    public int Count { get; private set; }

    public long Large { get; set; }

    public short Small { get; set; }

    public bool Flag { get; set; }

    public double Ratio { get; set; }

    public decimal Amount { get; set; }

    public Kind Kind { get; set; }

    public Kind InWords { get; set; }

    public DateTimeOffset At { get; set; }

    public DateTime Utc { get; set; }

    public DateOnly Day { get; set; }

    public TimeSpan Took { get; set; }

    public Kind? MaybeKind { get; set; }

    public decimal? MaybeAmount { get; set; }

    public DateTimeOffset? MaybeAt { get; set; }

    public string? Note { get; set; }

    public Uri? Link { get; set; }

    public List<string>? Tags { get; set; }

    public void Increment()
    {
        Count++;
        Large = Count * 10_000_000_000;
        Small = (short)-Count;
        Flag = !Flag;
        Ratio = Count / 3.0;
        Amount = Count * 0.0001m;
        (Kind, InWords) = (Kind.Second, Flag ? Kind.Second : Kind.First);
        At = DateTimeOffset.UnixEpoch.AddDays(Count);
        Utc = DateTime.UnixEpoch.AddHours(Count);
        Day = new DateOnly(2026, 1, Count);
        Took = TimeSpan.FromMilliseconds(Count);
        if (Count % 3 != 0)
            return;
        (MaybeKind, MaybeAmount, MaybeAt) = (Kind.First, 1.5m, DateTimeOffset.UnixEpoch);
        Note = "it's \"quoted\", {braced}, NULL and ä";
        Link = new Uri("https://example.org/a?b=c");
        Tags = ["one", "two, three"];
    }
}

internal sealed class WideCounterMap : SagaClassMap<WideCounter>
{
    protected override void Configure(EntityTypeBuilder<WideCounter> entity, ModelBuilder model)
    {
        entity.Property<uint>("xmin").IsRowVersion();
        entity.Property(counter => counter.Amount).HasPrecision(19, 4);
        entity.Property(counter => counter.InWords).HasConversion<string>().HasMaxLength(20);
        entity.Property(counter => counter.Count).HasDefaultValue(0);
        entity.Property<List<string>>(nameof(WideCounter.Tags)).HasJsonConversion();
    }
}

internal sealed class WideContext(DbContextOptions<WideContext> options) : CounterContext(options)
{
    protected override IEnumerable<ISagaClassMap> Configurations => [new WideCounterMap()];
}
