using System.Threading.Channels;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>
/// Publishes from memory what this process has just committed, and deletes the rows in batches. What it does not finish stays in
/// the table, where the relay finds it.
/// </summary>
internal sealed partial class OutboxPublisher(
    OutboxDatabase database,
    OutboxSender sender,
    OutboxSignal signal,
    OutboxDrain drain,
    IOptions<OutboxDeliveryServiceOptions> options,
    ILogger<OutboxPublisher> logger
) : BackgroundService
{
    // Enough confirms in flight to hide the broker's latency; the transport pipelines them over its channels.
    private const int Publishers = 64;

    // Transactions wait here when the broker is slow; then consumers wait too, so that memory stays bounded.
    private const int Capacity = 4096;
    private const int MaxDeleteBatch = 2000;

    // Rows are deleted a little later and many at once: a statement costs the same for one row as for a hundred.
    private static readonly TimeSpan _deleteDelay = TimeSpan.FromMilliseconds(50);

    private readonly Channel<IReadOnlyList<OutboxMessage>> _batches = Channel.CreateBounded<IReadOnlyList<OutboxMessage>>(
        new BoundedChannelOptions(Capacity)
    );

    private readonly Channel<long> _published = Channel.CreateUnbounded<long>();

    /// <summary>Takes over messages that are committed and owned by this process, to publish them in order.</summary>
    public async ValueTask PublishAsync(IReadOnlyList<OutboxMessage> messages, CancellationToken cancellationToken)
    {
        if (messages.Count == 0)
            return;
        try
        {
            await _batches.Writer.WriteAsync(messages, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            // The consumer took longer than the stop timeout. Its rows are released with the others that are left.
        }
    }

    /// <inheritdoc />
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        drain.Add(DrainAsync);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var deleting = DeleteAsync(stoppingToken);
        var publishers = Enumerable
            .Range(0, Publishers)
            .Select(_ => Task.Run(() => PublishAsync(stoppingToken), CancellationToken.None));
        await Task.WhenAll(publishers);
        _published.Writer.Complete();
        await deleting;
    }

    private Task DrainAsync(CancellationToken cancellationToken)
    {
        _batches.Writer.TryComplete();
        return ExecuteTask!.WaitAsync(cancellationToken);
    }

    private async Task PublishAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var batch in _batches.Reader.ReadAllAsync(stoppingToken))
                await PublishBatchAsync(batch, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    private async Task PublishBatchAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken stoppingToken)
    {
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            timeout.CancelAfter(options.Value.MessageDeliveryTimeout);
            foreach (var message in batch)
                await sender.SendAsync(message, timeout.Token);
            foreach (var message in batch)
                _published.Writer.TryWrite(message.SequenceNumber);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            var reason = OutboxSender.Reason(exception);
            LogPublishFailed(batch[0].MessageId, reason);
            await ReleaseAsync(batch, reason, stoppingToken);
        }
    }

    // The whole batch goes to the relay, in order, also what was sent already: its ids are the same, so it has no second effect.
    private async Task ReleaseAsync(IReadOnlyList<OutboxMessage> batch, string reason, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await database.ExecuteAsync(
                    $"""
                    UPDATE {database.Tables.Message} SET outbox_id = NULL, attempts = attempts + 1, last_error = $2
                    WHERE sequence_number = ANY ($1)
                    """,
                    stoppingToken,
                    new NpgsqlParameter<long[]> { TypedValue = [.. batch.Select(message => message.SequenceNumber)] },
                    new NpgsqlParameter<string> { TypedValue = reason }
                );
                signal.Set();
                return;
            }
            catch (ContainerDisposedException)
            {
                // The container is gone: the process ends. Another instance takes the messages over.
                return;
            }
            // Any exception: no other process publishes these rows while this instance owns them.
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogReleaseFailed(exception.GetBaseException().Message);
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stoppingToken);
            }
        }
    }

    private async Task DeleteAsync(CancellationToken stoppingToken)
    {
        var sequenceNumbers = new List<long>(MaxDeleteBatch);
        while (await _published.Reader.WaitToReadAsync(CancellationToken.None))
        {
            if (!stoppingToken.IsCancellationRequested && _published.Reader.Count < MaxDeleteBatch)
                await Task.Delay(_deleteDelay, TimeProvider.System, CancellationToken.None);
            while (sequenceNumbers.Count < MaxDeleteBatch && _published.Reader.TryRead(out var sequenceNumber))
                sequenceNumbers.Add(sequenceNumber);
            try
            {
                await database.ExecuteAsync(
                    database.Tables.Outbox.Delete,
                    CancellationToken.None,
                    new NpgsqlParameter<long[]> { TypedValue = [.. sequenceNumbers] }
                );
                sequenceNumbers.Clear();
            }
            catch (ContainerDisposedException)
            {
                return;
            }
            catch (Exception exception)
            {
                // Any exception (EF Core wraps those of Npgsql): without a retry the rows would stay.
                LogDeleteFailed(sequenceNumbers.Count, exception.GetBaseException().Message);
                if (stoppingToken.IsCancellationRequested)
                    return;
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None);
                foreach (var sequenceNumber in sequenceNumbers)
                    _published.Writer.TryWrite(sequenceNumber);
                sequenceNumbers.Clear();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Publishing of message {MessageId} failed; handed to the relay: {Reason}")]
    private partial void LogPublishFailed(Guid messageId, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Handing a message to the relay failed; retrying: {Reason}")]
    private partial void LogReleaseFailed(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Deleting {Count} published messages failed; retrying: {Reason}")]
    private partial void LogDeleteFailed(int count, string reason);
}
