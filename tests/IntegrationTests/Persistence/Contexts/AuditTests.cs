using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration.Audit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>An audit table has every message that its filter lets through.</summary>
public sealed class AuditTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task Messages_are_audited_when_they_are_published_and_when_they_are_consumed()
    {
        var options = new DbContextOptionsBuilder();
        await using var host = await ContextHost<OrdersDbContext>.CreateAsync(
            servers,
            new ContextSetup
            {
                Outbox = false,
                Work = (context, _) => context.Publish(new WorkDone(context.Message.Name, 7)),
                Factory = factory =>
                {
                    factory.UseEntityFrameworkCoreAuditStore(options, "audit_of_all");
                    factory.UseEntityFrameworkCoreAuditStore(
                        options,
                        "audit_of_work",
                        filter => filter.Exclude(typeof(WorkDone))
                    );
                },
            }
        );
        options.UseNpgsql(host.ConnectionString);
        await using var all = await CreateTableAsync(options, "audit_of_all");
        await using var some = await CreateTableAsync(options, "audit_of_work");
        await host.StartAsync();

        await host.PublishAsync(new Work("paint", 1));

        await Eventually.EqualAsync(4, () => all.Set<AuditRecord>().CountAsync());
        await Eventually.EqualAsync(2, () => some.Set<AuditRecord>().CountAsync());
        var records = await all.Set<AuditRecord>().AsNoTracking().ToListAsync();
        Assert.Equal(
            ["Consume Work", "Consume WorkDone", "Publish Work", "Publish WorkDone"],
            records.Select(record => $"{record.ContextType} {record.MessageType!.Split('.', ':')[^1]}").Order()
        );
        Assert.Single(records.Select(record => record.ConversationId).Distinct());
        Assert.All(records, record => Assert.Contains("paint", record.Message!.ToString(), StringComparison.Ordinal));
        Assert.All(records, record => Assert.Equal(DateTimeKind.Utc, record.SentTime!.Value.Kind));
    }

    private static async Task<DbContext> CreateTableAsync(DbContextOptionsBuilder options, string table)
    {
        var context = new EntityFrameworkAuditStore(options.Options, table).AuditContext;
        await context.GetService<IRelationalDatabaseCreator>().CreateTablesAsync();
        return context;
    }
}
