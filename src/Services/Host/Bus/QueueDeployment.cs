using MassTransit;
using Sagas.Host.Settings;
using Sagas.Services.Alarms;
using Sagas.Services.Alerts;
using Sagas.Services.Crm;
using Sagas.Services.ObjectStatus;
using Sagas.Services.Payments;

namespace Sagas.Host.Bus;

/// <summary>
/// Declares and binds the queues of every role before a process with only some roles publishes anything: an exchange with
/// no queue behind it drops what it is given, and the other roles' processes may never have run on this broker.
/// </summary>
internal sealed partial class QueueDeployment(
    HostSettings settings, IConfiguration configuration, IHostApplicationLifetime lifetime, ILoggerFactory loggers, BrokerVersion version)
    : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var everything = settings with { Roles = Roles.All };
        var services = new ServiceCollection();
        services.AddSingleton(configuration).AddSingleton(lifetime).AddSingleton(loggers).AddSingleton(version);
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddDatabase(everything);
        services.AddPaymentServices(configuration);
        services.AddCustomerSync(configuration).AddCrmServices(configuration);
        services.AddAlarmServices(configuration);
        services.AddObjectStatusServices(configuration, sweeps: false);
        services.AddAlertServices(configuration);
        services.AddBus(everything, configuration, onlyDeploy: true);
        await using var provider = services.BuildServiceProvider();
        var bus = provider.GetRequiredService<IBusControl>();
        await bus.StartAsync(cancellationToken);
        await bus.StopAsync(cancellationToken);
        LogDeployed(loggers.CreateLogger<QueueDeployment>(), settings.RabbitMq.Address);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "The queues of all roles are bound at {Address}")]
    private static partial void LogDeployed(ILogger logger, Uri address);
}
