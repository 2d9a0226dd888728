using MassTransit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Contracts;
using Sagas.Persistence;

namespace Sagas.Services.ObjectStatus.Callback;

/// <summary>
/// Stores ids: confirmed by the broker, or else committed to the outbox. They are sent as lists, of which one takes no longer
/// than one id does.
/// </summary>
internal sealed partial class CallbackIntake(
    IBus bus,
    OutboxBatches outbox,
    NpgsqlDataSource database,
    IOptions<ObjectStatusOptions> options,
    TimeProvider timeProvider,
    ILogger<CallbackIntake> logger
)
{
    private const long Unknown = long.MinValue;

    // While the broker is unavailable, one callback per interval probes it; the others do not wait
    // for it.
    private static readonly TimeSpan _betweenTrials = TimeSpan.FromSeconds(1);

    private static readonly IPipe<SendContext<ObjectStatusesRequested>> _mandatory = Pipe.Execute<
        SendContext<ObjectStatusesRequested>
    >(
        // Without a queue behind the exchange the broker would confirm and drop the message; mandatory makes it return it.
        context => ((PublishContext)context).Mandatory = true
    );

    private long _nextTrial = Unknown;

    /// <summary>Stores ids.</summary>
    /// <returns>False: not all of them are stored, since broker and database are both unavailable.</returns>
    public async Task<bool> AcceptAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        if (ids.Count == 0)
            return true;
        var lists = ids.Chunk(ObjectStatusesRequested.MaxObjects).Select(chunk => new ObjectStatusesRequested(chunk)).ToArray();
        return (MayTryBroker() ? await PublishAsync(lists, cancellationToken) : null)
            ?? await StoreAsync(lists, cancellationToken);
    }

    private bool MayTryBroker()
    {
        var next = Volatile.Read(ref _nextTrial);
        return next == Unknown
            || (timeProvider.GetTimestamp() >= next && Interlocked.CompareExchange(ref _nextTrial, NextTrial(), next) == next);
    }

    private long NextTrial() =>
        timeProvider.GetTimestamp() + (long)(_betweenTrials.TotalSeconds * timeProvider.TimestampFrequency);

    /// <returns>True: stored. Null: the broker may have them or not. False: the outbox could not get them to a queue
    /// either.</returns>
    private async Task<bool?> PublishAsync(ObjectStatusesRequested[] lists, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.Value.BrokerTimeout);
        try
        {
            var endpoint = await bus.GetPublishSendEndpoint<ObjectStatusesRequested>().WaitAsync(timeout.Token);
            // The transport retries without a limit of its own.
            await Task.WhenAll(lists.Select(list => endpoint.Send(list, _mandatory, timeout.Token))).WaitAsync(timeout.Token);
            if (Interlocked.Exchange(ref _nextTrial, Unknown) != Unknown)
                LogBrokerBack();
            return true;
        }
        catch (Exception exception)
            when (exception.GetBaseException() is RabbitMQ.Client.Exceptions.PublishException { IsReturn: true })
        {
            LogNothingSafe(
                $"no queue is bound to the exchange {nameof(ObjectStatusesRequested)}; start a process with the role status"
            );
            return false;
        }
        // On any failure the outbox takes over. What was confirmed already is sent twice, which costs a few more fetches.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (Interlocked.Exchange(ref _nextTrial, NextTrial()) == Unknown)
                LogBrokerAway(exception.GetBaseException().Message);
            return null;
        }
    }

    private async Task<bool> StoreAsync(ObjectStatusesRequested[] lists, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.Value.DatabaseTimeout);
        try
        {
            var rows = await outbox.CreateAsync(lists, timeout.Token);
            await InsertAsync(rows, timeout.Token).WaitAsync(timeout.Token);
            rows.Committed();
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogNothingSafe(exception.GetBaseException().Message);
            return false;
        }
    }

    private async Task InsertAsync(OutboxBatch rows, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { rows.Insert() } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The broker did not confirm in time: callbacks go to the outbox until it does: {Reason}"
    )]
    private partial void LogBrokerAway(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The broker confirms again; callbacks go to it")]
    private partial void LogBrokerBack();

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A callback was rejected, because its ids could not be made safe: {Reason}"
    )]
    private partial void LogNothingSafe(string reason);
}
