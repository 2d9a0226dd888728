using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>
/// Sends the messages that no instance publishes from memory: those of the bus outbox, of stopped instances, and scheduled ones
/// that are due. Relays of all processes share the work by skipping locked rows.
/// </summary>
internal sealed partial class OutboxRelay(
    OutboxDatabase database,
    OutboxSender sender,
    OutboxSignal signal,
    OutboxDrain drain,
    IBusControl bus,
    IOptions<OutboxDeliveryServiceOptions> options,
    ILogger<OutboxRelay> logger
) : BackgroundService
{
    // While one worker waits for confirms, another reads and deletes.
    private const int Workers = 4;

    private static readonly TimeSpan _maxBackoffDelay = TimeSpan.FromSeconds(10);

    private volatile bool _draining;
    private volatile Task _workers = Task.CompletedTask;

    private int QueryTimeout => (int)Math.Ceiling(options.Value.QueryTimeout.TotalSeconds);

    /// <inheritdoc />
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        drain.Add(DrainAsync);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await bus.WaitForHealthStatus(BusHealthStatus.Healthy, stoppingToken);
        _workers = Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => RunWorkerAsync(worker, stoppingToken)));
        await Task.WhenAll(_workers, ListenAsync(stoppingToken));
    }

    // Each worker reads once more after the last consumer has ended. What is left then is a backlog, which other processes send.
    private Task DrainAsync(CancellationToken cancellationToken)
    {
        _draining = true;
        signal.Set();
        return _workers.WaitAsync(cancellationToken);
    }

    private async Task RunWorkerAsync(int worker, CancellationToken stoppingToken)
    {
        var isLast = false;
        while (!stoppingToken.IsCancellationRequested && !isLast)
        {
            var next = signal.Next;
            isLast = _draining;
            try
            {
                var taken = await DeliverAsync(stoppingToken);
                if (isLast)
                    return;
                if (taken == options.Value.QueryMessageLimit)
                {
                    // More work: wake the other workers.
                    signal.Set();
                    continue;
                }

                // One worker polls; the others wait for a signal.
                var wait = worker == 0 ? options.Value.QueryDelay : Timeout.InfiniteTimeSpan;
                await next.WaitAsync(wait, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (ContainerDisposedException)
            {
                // The container is gone: the process ends.
                return;
            }
            catch (Exception exception)
            {
                LogFailed(exception.GetBaseException().Message);
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stoppingToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<int> DeliverAsync(CancellationToken stoppingToken)
    {
        await using var connection = await database.OpenAsync(stoppingToken);
        await using var transaction = await connection.Npgsql.BeginTransactionAsync(stoppingToken);
        var limit = new NpgsqlParameter<int> { TypedValue = options.Value.QueryMessageLimit };
        var heads = await ReadAsync(connection.Npgsql, database.Tables.Outbox.TakeDue, limit, stoppingToken);
        if (heads.Count == 0)
            return 0;
        var batched = heads.Where(head => head.BatchSize > 1).Select(head => head.BatchId).ToArray();
        ILookup<Guid, OutboxMessage>? rest = null;
        if (batched.Length > 0)
        {
            var parameter = new NpgsqlParameter<Guid[]> { TypedValue = batched };
            rest = (await ReadAsync(connection.Npgsql, database.Tables.Outbox.TakeRest, parameter, stoppingToken)).ToLookup(
                message => message.BatchId
            );
        }

        using var sending = new SemaphoreSlim(options.Value.MessageDeliveryLimit);
        var outcomes = await Task.WhenAll(
            heads.Select(head =>
                SendBatchAsync(
                    head.BatchSize > 1 && rest is not null ? [head, .. rest[head.BatchId]] : [head],
                    sending,
                    stoppingToken
                )
            )
        );
        await SettleAsync(connection.Npgsql, outcomes, stoppingToken);
        await transaction.CommitAsync(stoppingToken);
        return heads.Count;
    }

    private async Task<(IReadOnlyList<OutboxMessage> Batch, string? Error)> SendBatchAsync(
        IReadOnlyList<OutboxMessage> batch,
        SemaphoreSlim sending,
        CancellationToken stoppingToken
    )
    {
        await sending.WaitAsync(stoppingToken);
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            timeout.CancelAfter(options.Value.MessageDeliveryTimeout);
            foreach (var message in batch)
                await sender.SendAsync(message, timeout.Token);
            return (batch, null);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            return (batch, OutboxSender.Reason(exception));
        }
        finally
        {
            sending.Release();
        }
    }

    private async Task SettleAsync(
        NpgsqlConnection connection,
        (IReadOnlyList<OutboxMessage> Batch, string? Error)[] outcomes,
        CancellationToken stoppingToken
    )
    {
        await using var settle = new NpgsqlBatch(connection) { Timeout = QueryTimeout };
        var sent = outcomes
            .Where(outcome => outcome.Error is null)
            .SelectMany(outcome => outcome.Batch)
            .Select(message => message.SequenceNumber);
        settle.BatchCommands.Add(
            new NpgsqlBatchCommand(database.Tables.Outbox.Delete)
            {
                Parameters = { new NpgsqlParameter<long[]> { TypedValue = [.. sent] } },
            }
        );
        var failed = outcomes.Where(outcome => outcome.Error is not null).ToArray();
        if (failed.Length > 0)
        {
            LogNotSent(failed.Length, failed[0].Error!);
            settle.BatchCommands.Add(
                new NpgsqlBatchCommand(
                    $"""
                    UPDATE {database.Tables.Message} m SET attempts = attempts + 1, last_error = f.error,
                        enqueue_time = now() + least($3, interval '100 milliseconds' * power(2, least(attempts, 20)))
                    FROM unnest($1::bigint[], $2::text[]) AS f (sequence_number, error)
                    WHERE m.sequence_number = f.sequence_number
                    """
                )
                {
                    Parameters =
                    {
                        new NpgsqlParameter<long[]>
                        {
                            TypedValue = [.. failed.Select(outcome => outcome.Batch[0].SequenceNumber)],
                        },
                        new NpgsqlParameter<string[]> { TypedValue = [.. failed.Select(outcome => outcome.Error!)] },
                        new NpgsqlParameter<TimeSpan> { TypedValue = _maxBackoffDelay },
                    },
                }
            );
        }

        await settle.ExecuteNonQueryAsync(stoppingToken);
    }

    private async Task<List<OutboxMessage>> ReadAsync(
        NpgsqlConnection connection,
        string sql,
        NpgsqlParameter parameter,
        CancellationToken cancellationToken
    )
    {
        var messages = new List<OutboxMessage>();
        await using var batch = new NpgsqlBatch(connection)
        {
            Timeout = QueryTimeout,
            BatchCommands =
            {
                new NpgsqlBatchCommand(PlannerSettings.UseIndexes),
                new NpgsqlBatchCommand(sql) { Parameters = { parameter } },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            messages.Add(OutboxSql.Read(reader));
        return messages;
    }

    // Other processes notify that a message became due; without it the next poll finds it.
    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenAsync(stoppingToken);
                await using (var listen = new NpgsqlCommand("LISTEN outbox_due", connection.Npgsql))
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                connection.Npgsql.Notification += (_, _) => signal.Set();
                while (true)
                    await connection.Npgsql.WaitAsync(stoppingToken);
            }
            catch (ContainerDisposedException)
            {
                return;
            }
            catch (Exception exception)
                when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                LogNotListening(exception.GetBaseException().Message);
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stoppingToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Relay failed; retrying in a second: {Reason}")]
    private partial void LogFailed(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sending the messages of {Count} transactions failed; retrying: {Reason}")]
    private partial void LogNotSent(int count, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Listening for due messages failed; polling until it works again: {Reason}"
    )]
    private partial void LogNotListening(string reason);
}
