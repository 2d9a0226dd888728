using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;
using RabbitMQ.Client.Exceptions;
using Sagas.Host.Settings;

namespace Sagas.Host.Bus;

/// <summary>
/// The version of the broker, which decides how its queues are declared: from version 4 on a quorum queue silently drops a
/// message after 20 deliveries unless the limit is lifted, and before that it rejects a queue that lifts it.
/// </summary>
internal sealed partial class BrokerVersion(
    IOptions<RabbitMqOptions> options,
    BrokerConnections connections,
    IHostApplicationLifetime lifetime,
    TimeProvider timeProvider,
    ILogger<BrokerVersion> logger
)
{
    private readonly RabbitMqOptions _options = options.Value;

    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(1);

    // A client whose connection is lost while it opens or closes it may wait for a minute and longer.
    private static readonly TimeSpan _attemptTimeout = TimeSpan.FromSeconds(10);

    private const int AttemptsPerReport = 15;

    private int? _major;

    /// <summary>Whether quorum queues have a delivery limit by default, which can be lifted with -1.</summary>
    /// <remarks>
    /// Waits until the broker can be reached. Blocks, because MassTransit asks from within the synchronous construction of
    /// the bus; nothing else runs at that time.
    /// </remarks>
    /// <exception cref="OperationCanceledException">The process is stopping while the broker is unavailable.</exception>
    public bool LimitsDeliveries => (_major ??= ReadAsync(lifetime.ApplicationStopping).GetAwaiter().GetResult()) >= 4;

    private async Task<int> ReadAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await ReadOnceAsync(cancellationToken).WaitAsync(_attemptTimeout, timeProvider, cancellationToken);
            }
            catch (Exception exception)
                when (exception is BrokerUnreachableException or RabbitMQClientException or IOException or TimeoutException)
            {
                if (attempt % AttemptsPerReport == 0)
                    LogWaiting(logger, _options.Address, Innermost(exception));
                await Task.Delay(_retryDelay, timeProvider, cancellationToken);
            }
        }
    }

    private async Task<int> ReadOnceAsync(CancellationToken cancellationToken)
    {
        await using var connection = await connections.ConnectAsync("asking for the version", cancellationToken);
        var version =
            connection.ServerProperties?.TryGetValue("version", out var value) == true && value is byte[] text
                ? Encoding.UTF8.GetString(text)
                : "";
        LogConnected(logger, version, _options.Address);
        return int.TryParse(version.Split('.')[0], CultureInfo.InvariantCulture, out var major) ? major : 0;
    }

    private static string Innermost(Exception exception) => exception.GetBaseException().Message;

    [LoggerMessage(Level = LogLevel.Warning, Message = "RabbitMQ at {Address} is unavailable; retrying every second: {Reason}")]
    private static partial void LogWaiting(ILogger logger, Uri address, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected to RabbitMQ {Version} at {Address}")]
    private static partial void LogConnected(ILogger logger, string version, Uri address);
}
