using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Sagas.Services.Alerts;

/// <summary>Warns at the start when alerts are signed with the secret of the repository.</summary>
internal sealed partial class DevelopmentSecretWarning(IOptions<AlertsOptions> options, ILogger<DevelopmentSecretWarning> logger)
    : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.Secrets.Contains(AlertsOptions.DevelopmentSecret, StringComparison.Ordinal))
            LogDevelopmentSecret();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Alerts are signed with the development secret, which is public in the repository; set Alerts:Secrets"
    )]
    private partial void LogDevelopmentSecret();
}
