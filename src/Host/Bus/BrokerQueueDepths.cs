using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Services;
using Sagas.Services.Messages;
using Sagas.Services.Operations.Reads;

namespace Sagas.Host.Bus;

/// <summary>Asks RabbitMQ how many messages wait, over a connection of its own that is opened when it is first asked.</summary>
internal sealed partial class BrokerQueueDepths(BrokerConnections broker, Features features, ILogger<BrokerQueueDepths> logger)
    : IQueueDepths,
        IAsyncDisposable
{
    private static readonly string[] _errorSuffixes = [DeadLetterName.ErrorSuffix, DeadLetterName.SkippedSuffix];

    // A dashboard shows the rest while the broker does not answer.
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _one = new(1);
    private IConnection? _connection;
    private IChannel? _channel;

    public async Task<IReadOnlyList<QueueDepth>> ReadAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_timeout);
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_connection is not { IsOpen: true })
            {
                if (_connection is not null)
                    await _connection.DisposeAsync();
                _connection = await broker.ConnectAsync("queue depths", timeout.Token);
            }

            var depths = new List<QueueDepth>();
            foreach (var queue in features.Endpoints.Select(endpoint => endpoint.Queue).Order(StringComparer.Ordinal))
            {
                if (await CountAsync(queue, timeout.Token) is not { } messages)
                    continue;
                long dead = 0;
                foreach (var suffix in _errorSuffixes)
                    dead += await CountAsync(queue + suffix, timeout.Token) ?? 0;
                depths.Add(new(queue, messages, dead));
            }

            return depths;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotRead(exception.GetBaseException().Message);
            return [];
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync();
        _one.Dispose();
    }

    // A queue that does not exist closes the channel.
    private async Task<long?> CountAsync(string queue, CancellationToken cancellationToken)
    {
        if (_channel is not { IsOpen: true })
        {
            if (_channel is not null)
                await _channel.DisposeAsync();
            _channel = await _connection!.CreateChannelAsync(cancellationToken: cancellationToken);
        }

        try
        {
            return (await _channel.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount;
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The broker was not asked for its queues: {Reason}")]
    private partial void LogNotRead(string reason);
}
