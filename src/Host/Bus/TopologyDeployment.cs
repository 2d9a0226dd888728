using MassTransit;
using Microsoft.Extensions.Options;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Host.Database;
using Sagas.Host.Settings;
using Sagas.Services;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using LogContext = Serilog.Context.LogContext;

namespace Sagas.Host.Bus;

/// <summary>
/// Declares and binds the queues of every role before a process publishes or consumes anything: an exchange with no queue
/// behind it drops what is published to it, and the other roles' processes may never have run on this broker.
/// </summary>
/// <remarks>
/// Processes that start together take turns. A quorum queue that one process is declaring shows before it can be consumed
/// from, and RabbitMQ 3.10 closes the whole connection of another process that tries (<c>badmatch, {error, noproc}</c>).
/// </remarks>
internal sealed partial class TopologyDeployment(
    IOptions<RabbitMqOptions> rabbitMq,
    IOptions<MessagesOptions> messages,
    IConfiguration configuration,
    Features features,
    IHostApplicationLifetime lifetime,
    ILoggerFactory loggers,
    BrokerVersion version,
    BrokerConnections connections,
    QueueConflicts conflicts,
    DatabaseStartupRetry database
) : IHostedService
{
    internal const string AdvisoryLock = "7230008";

    /// <summary>While this property is on the log's context, only problems are logged.</summary>
    public const string OnlyProblems = nameof(OnlyProblems);

    // Many times what it takes. A broker that becomes unavailable during deployment may leave the bus waiting forever.
    private static readonly TimeSpan _attemptTimeout = TimeSpan.FromSeconds(30);

    private readonly ILogger _logger = loggers.CreateLogger<TopologyDeployment>();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Waits for a broker that is not up yet, before the others have to wait for this process.
        _ = version.LimitsDeliveries;
        var deployed = false;
        while (!deployed)
            await database.RunAsync(
                async (dataSource, token) => deployed = await TryDeployAsync(dataSource, token),
                cancellationToken
            );
        LogDeployed(_logger, rabbitMq.Value.Address);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> TryDeployAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var turn = await connection.BeginTransactionAsync(cancellationToken);
        // Unlimited: it waits for the process whose turn it is.
        await using var take = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({AdvisoryLock})", connection)
        {
            CommandTimeout = 0,
        };
        await take.ExecuteNonQueryAsync(cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_attemptTimeout);
        try
        {
            await DeployAsync(limit.Token).WaitAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotDeployed(_logger, rabbitMq.Value.Address, _attemptTimeout.TotalSeconds);
            return false;
        }
        catch (Exception exception) when (exception is RabbitMQClientException or IOException)
        {
            LogLost(_logger, rabbitMq.Value.Address, exception.GetBaseException().Message);
            return false;
        }
    }

    private async Task DeployAsync(CancellationToken cancellationToken)
    {
        using var quiet = LogContext.PushProperty(OnlyProblems, true);
        var context = new FeatureContext(features.AllRoles, configuration, messages.Value);
        var services = new ServiceCollection();
        services.AddSingleton(configuration).AddSingleton(lifetime).AddSingleton(loggers).AddSingleton(version);
        services.AddSingleton(conflicts);
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSettings(configuration, features);
        services.AddDatabase(features);
        foreach (var module in features.Modules)
            module.AddServices(services, context);
        services.AddBus(features, context, BusTransport.RabbitMq, onlyDeploy: true);
        await using var provider = services.BuildServiceProvider();
        var bus = provider.GetRequiredService<IBusControl>();
        await bus.StartAsync(cancellationToken);
        await bus.StopAsync(cancellationToken);
        await DeclareAsync([.. features.Modules.SelectMany(module => module.Queues(provider))], cancellationToken);
    }

    private async Task DeclareAsync(IReadOnlyList<FeatureQueue> queues, CancellationToken cancellationToken)
    {
        if (queues.Count == 0)
            return;
        await using var connection = await connections.ConnectAsync("declaring queues", cancellationToken);
        foreach (var queue in queues)
        {
            await conflicts.DeclareExchangeAsync(
                connection,
                queue.Exchange,
                channel =>
                    channel.ExchangeDeclareAsync(
                        queue.Exchange,
                        ExchangeType.Fanout,
                        durable: true,
                        cancellationToken: cancellationToken
                    ),
                cancellationToken
            );
            await conflicts.DeclareQueueAsync(
                connection,
                queue.Name,
                channel =>
                    channel.QueueDeclareAsync(
                        queue.Name,
                        durable: true,
                        exclusive: false,
                        autoDelete: false,
                        queue.Arguments.ToDictionary(),
                        cancellationToken: cancellationToken
                    ),
                cancellationToken
            );
            await using var binding = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            await binding.QueueBindAsync(queue.Name, queue.Exchange, "", cancellationToken: cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Queues of all roles are bound at {Address}")]
    private static partial void LogDeployed(ILogger logger, Uri address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Binding the queues at {Address} failed; retrying: {Reason}")]
    private static partial void LogLost(ILogger logger, Uri address, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Binding the queues at {Address} timed out after {Seconds} s; retrying")]
    private static partial void LogNotDeployed(ILogger logger, Uri address, double seconds);
}
