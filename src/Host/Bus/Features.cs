using MassTransit;
using Sagas.Host.Settings;
using Sagas.Services.Alarms;
using Sagas.Services.Alerts;
using Sagas.Services.Crm;
using Sagas.Services.ObjectStatus;
using Sagas.Services.Payments;

namespace Sagas.Host.Bus;

/// <summary>Which feature runs in which role.</summary>
internal static class Features
{
    public static void AddFeatures(this IBusRegistrationConfigurator bus, Roles roles, IConfiguration configuration)
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
        if (roles.Has(Roles.Crm) && configuration.HasCrm())
            bus.AddCrm();
        if (roles.Has(Roles.Alarms))
            bus.AddAlarms();
        if (roles.Has(Roles.Status))
            bus.AddObjectStatus();
        if (roles.Has(Roles.Alerts))
            bus.AddAlerts();
    }

    /// <summary>Whether what an endpoint does needs an inbox row and a transaction for each message. Those that take messages
    /// in batches do not: a batch has the id of one of its messages, by which the inbox would take the others for consumed. Nor
    /// does fetching a status: done twice it has the effect of once, and no transaction must be held for as long as an API takes.</summary>
    public static bool NeedsOutbox(string endpoint) =>
        endpoint is not (AlarmServices.ChangesQueue or CrmServices.QueueName
            or ObjectStatusServices.ListsQueue or ObjectStatusServices.Queue);
}
