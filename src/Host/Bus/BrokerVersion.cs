using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Host.Settings;

namespace Sagas.Host.Bus;

/// <summary>
/// The version of the broker, which decides how its queues are declared: from version 4 on a quorum queue drops a message
/// without a word after 20 deliveries unless the limit is lifted, and before that it refuses a queue that lifts it.
/// </summary>
internal sealed partial class BrokerVersion(RabbitMqSettings settings, IHostApplicationLifetime lifetime, ILogger<BrokerVersion> logger)
{
    private static readonly TimeSpan _betweenAttempts = TimeSpan.FromSeconds(1);

    // A client whose connection is lost while it opens or closes it may wait for a minute and longer.
    private static readonly TimeSpan _longestAttempt = TimeSpan.FromSeconds(10);

    private const int AttemptsPerReport = 15;

    private int? _major;

    /// <summary>Whether quorum queues have a delivery limit by default, which can be lifted with -1.</summary>
    /// <remarks>
    /// Waits until the broker can be reached. Blocks, because MassTransit asks from within the synchronous construction of
    /// the bus; nothing else runs at that time.
    /// </remarks>
    /// <exception cref="OperationCanceledException">The process was told to stop while the broker was away.</exception>
    public bool LimitsDeliveries => (_major ??= ReadAsync(lifetime.ApplicationStopping).GetAwaiter().GetResult()) >= 4;

    private async Task<int> ReadAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await ReadOnceAsync(cancellationToken).WaitAsync(_longestAttempt, cancellationToken);
            }
            catch (Exception exception) when (exception is BrokerUnreachableException or RabbitMQClientException or IOException or TimeoutException)
            {
                if (attempt % AttemptsPerReport == 0)
                    LogWaiting(logger, settings.Address, Innermost(exception));
                await Task.Delay(_betweenAttempts, cancellationToken);
            }
        }
    }

    private async Task<int> ReadOnceAsync(CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory
        {
            HostName = settings.Address.Host,
            Port = settings.Address.Port,
            VirtualHost = settings.VirtualHost,
            UserName = settings.User,
            Password = settings.Password,
            ClientProvidedName = "sagas, asking for the version",
            AutomaticRecoveryEnabled = false,
            Ssl = { Enabled = settings.UsesTls, ServerName = settings.Address.Host },
        };
        await using var connection = await factory.CreateConnectionAsync(cancellationToken);
        var version = connection.ServerProperties?.TryGetValue("version", out var value) == true && value is byte[] text
            ? Encoding.UTF8.GetString(text)
            : "";
        LogConnected(logger, version, settings.Address);
        return int.TryParse(version.Split('.')[0], out var major) ? major : 0;
    }

    private static string Innermost(Exception exception) => exception.GetBaseException().Message;

    [LoggerMessage(Level = LogLevel.Warning, Message = "RabbitMQ at {Address} cannot be reached yet, trying again every second: {Reason}")]
    private static partial void LogWaiting(ILogger logger, Uri address, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "RabbitMQ {Version} at {Address}")]
    private static partial void LogConnected(ILogger logger, string version, Uri address);
}
