using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Contracts;

namespace Sagas.Services.ObjectStatus.Callback;

/// <summary>Makes ids safe: confirmed by the broker, or else committed to the outbox.</summary>
internal sealed partial class CallbackIntake(
    IBus bus,
    OutboxBatches outbox,
    NpgsqlDataSource database,
    IOptions<ObjectStatusOptions> options,
    TimeProvider time,
    ILogger<CallbackIntake> logger)
{
    // From about here on one insert is quicker than that many confirms, and both must fit into a caller's patience.
    private const int MostConfirms = 1000;

    // While the broker is known to be away, one callback in this time finds out whether it still is; the others do not wait for it.
    private static readonly TimeSpan _betweenTrials = TimeSpan.FromSeconds(1);

    private static readonly IPipe<SendContext<ObjectStatusRequested>> _mandatory = Pipe.Execute<SendContext<ObjectStatusRequested>>(
        // Without a queue behind the exchange the broker would confirm and forget; so it says so instead.
        context => ((PublishContext)context).Mandatory = true);

    private long _nextTrial = long.MinValue;

    /// <summary>Takes ids over.</summary>
    /// <returns>False: nothing is safe, since broker and database are both away.</returns>
    public async Task<bool> AcceptAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        if (ids.Count == 0)
            return true;
        var messages = ids.Select(id => new ObjectStatusRequested(id)).ToArray();
        var unsafeYet = messages.Length <= MostConfirms && MayTryBroker() ? await PublishAsync(messages, cancellationToken) : messages;
        return unsafeYet.Count == 0 || await StoreAsync(unsafeYet, cancellationToken);
    }

    private bool MayTryBroker()
    {
        var next = Volatile.Read(ref _nextTrial);
        return next == long.MinValue
            || (time.GetTimestamp() >= next && Interlocked.CompareExchange(ref _nextTrial, NextTrial(), next) == next);
    }

    private long NextTrial() => time.GetTimestamp() + (long)(_betweenTrials.TotalSeconds * time.TimestampFrequency);

    /// <returns>The messages that were not confirmed in time.</returns>
    private async Task<IReadOnlyCollection<ObjectStatusRequested>> PublishAsync(ObjectStatusRequested[] messages, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.Value.BrokerTimeout);
        var confirms = new Task[messages.Length];
        try
        {
            var endpoint = await bus.GetPublishSendEndpoint<ObjectStatusRequested>().WaitAsync(timeout.Token);
            for (var index = 0; index < messages.Length; index++)
                confirms[index] = endpoint.Send(messages[index], _mandatory, timeout.Token);
            // The transport goes on trying for as long as it likes.
            await Task.WhenAll(confirms).WaitAsync(timeout.Token);
            Volatile.Write(ref _nextTrial, long.MinValue);
            return [];
        }
        // Whatever it is, the outbox is there for it.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (Interlocked.Exchange(ref _nextTrial, NextTrial()) == long.MinValue)
                LogBrokerAway(exception.GetBaseException().Message);
            return [.. messages.Where((_, index) => confirms[index] is not { IsCompletedSuccessfully: true })];
        }
    }

    private async Task<bool> StoreAsync(IReadOnlyCollection<ObjectStatusRequested> messages, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.Value.DatabaseTimeout);
        try
        {
            var rows = await outbox.CreateAsync(messages, timeout.Token);
            await InsertAsync(rows, timeout.Token).WaitAsync(timeout.Token);
            rows.Committed();
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogNothingSafe(messages.Count, exception.GetBaseException().Message);
            return false;
        }
    }

    private async Task InsertAsync(OutboxBatch rows, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { rows.Insert() } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The broker did not confirm in time: callbacks go to the outbox until it does: {Reason}")]
    private partial void LogBrokerAway(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A callback of {Count} ids was refused, because neither broker nor database took them: {Reason}")]
    private partial void LogNothingSafe(int count, string reason);
}
