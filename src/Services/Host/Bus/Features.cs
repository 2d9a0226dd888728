using MassTransit;
using Sagas.Host.Settings;
using Sagas.Services.Alerts;
using Sagas.Services.Payments;

namespace Sagas.Host.Bus;

/// <summary>Which feature runs in which role.</summary>
internal static class Features
{
    public static void AddFeatures(this IBusRegistrationConfigurator bus, Roles roles)
    {
        bus.AddEntityFrameworkOutbox<SagasDbContext>(outbox =>
        {
            outbox.UsePostgres();
            outbox.UseBusOutbox();
            // Housekeeping is the work of one role; publishing and relaying what it wrote is every process's own.
            if (!roles.Has(Roles.Operations))
                outbox.DisableInboxCleanupService();
        });
        bus.AddEntityFrameworkMessageScheduler();
        if (roles.Has(Roles.Sagas))
            bus.AddSagas();
        if (roles.Has(Roles.Payments))
            bus.AddPayments();
        if (roles.Has(Roles.Alerts))
            bus.AddAlerts();
    }
}
