using MassTransit.EntityFrameworkCoreIntegration.Audit;
using Microsoft.EntityFrameworkCore;

namespace MassTransit;

/// <summary>An audit of all messages in the database.</summary>
public static class EntityFrameworkAuditStoreConfiguratorExtensions
{
    /// <summary>Writes every message that the bus sends, publishes or consumes to a table.</summary>
    /// <param name="configurator">The bus.</param>
    /// <param name="dbContextOptions">Name the database.</param>
    /// <param name="auditTableName">The table; it must exist.</param>
    /// <param name="configureFilter">Excludes or includes messages; null: all are written.</param>
    public static void UseEntityFrameworkCoreAuditStore(
        this IBusFactoryConfigurator configurator,
        DbContextOptionsBuilder dbContextOptions,
        string auditTableName,
        Action<IMessageFilterConfigurator>? configureFilter = null
    )
    {
        ArgumentNullException.ThrowIfNull(configurator);
        ArgumentNullException.ThrowIfNull(dbContextOptions);
        var store = new EntityFrameworkAuditStore(dbContextOptions.Options, auditTableName);
        configurator.ConnectSendAuditObservers(store, configureFilter);
        configurator.ConnectConsumeAuditObserver(store, configureFilter);
    }
}
