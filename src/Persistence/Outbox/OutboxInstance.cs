using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>
/// This process as an owner of outbox messages. It writes a heartbeat every second; every process hands the messages of instances
/// whose heartbeat stopped to the relay.
/// </summary>
internal sealed partial class OutboxInstance(
    OutboxDatabase database,
    TimeProvider timeProvider,
    OutboxSignal signal,
    ILogger<OutboxInstance> logger
) : BackgroundService
{
    private static readonly TimeSpan _heartbeatInterval = TimeSpan.FromSeconds(1);

    // An instance without a heartbeat for this long leaves new messages to the relay. Shorter than the next, so that an instance
    // that others are about to remove owns no new messages by then.
    private static readonly TimeSpan _ownershipTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _heartbeatTimeout = TimeSpan.FromSeconds(5);

    // A commit whose connection broke may still happen on the server; its rows are looked for this long.
    private static readonly TimeSpan _inDoubtTimeout = TimeSpan.FromMinutes(2);

    private const int HeartbeatsPerSweep = 5;

    private readonly Guid _outboxId = NewId.NextGuid();
    private readonly List<(Guid BatchId, DateTimeOffset Until)> _inDoubt = [];
    private long _lastHeartbeat;
    private int _heartbeats;

    /// <summary>The owner of messages committed now; null when the relay is to publish them.</summary>
    public Guid? OutboxId =>
        _lastHeartbeat != 0 && timeProvider.GetElapsedTime(_lastHeartbeat) < _ownershipTimeout ? _outboxId : null;

    /// <summary>Hands a batch whose commit may or may not have happened to the relay.</summary>
    public void ReleaseInDoubt(Guid batchId)
    {
        lock (_inDoubt)
            _inDoubt.Add((batchId, timeProvider.GetUtcNow() + _inDoubtTimeout));
    }

    /// <inheritdoc />
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the bus starts, so that the first message already has an owner. The process starts also when the database is
        // unavailable: it owns nothing until the first heartbeat.
        await TryWriteHeartbeatAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        _lastHeartbeat = 0;
        try
        {
            await database.ExecuteAsync(
                $"""
                WITH gone AS (DELETE FROM {database.Tables.Instance} WHERE outbox_id = $1)
                UPDATE {database.Tables.Message} SET outbox_id = NULL WHERE outbox_id = $1
                """,
                cancellationToken,
                new NpgsqlParameter<Guid> { TypedValue = _outboxId }
            );
        }
        catch (ContainerDisposedException)
        {
            // As below; a test harness stops its services when its container is already disposed of.
        }
        catch (Exception exception)
        {
            // The other instances take the messages over when the heartbeat times out.
            LogReleaseFailed(exception.GetBaseException().Message);
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_heartbeatInterval, timeProvider);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await TryWriteHeartbeatAsync(stoppingToken);
    }

    private async Task TryWriteHeartbeatAsync(CancellationToken cancellationToken)
    {
        try
        {
            var start = timeProvider.GetTimestamp();
            await using var connection = await database.OpenAsync(cancellationToken);
            await WriteHeartbeatAsync(connection.Npgsql, cancellationToken);
            _lastHeartbeat = start;
            var released = await ReleaseDeadAsync(connection.Npgsql, cancellationToken);
            released += await ReleaseInDoubtAsync(connection.Npgsql, cancellationToken);
            if (released > 0)
                signal.Set();
        }
        catch (ContainerDisposedException)
        {
            // The process ends, and with it its heartbeat.
        }
        catch (Exception exception)
            when (exception is not ConfigurationException
                && (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            )
        {
            LogHeartbeatFailed(exception.GetBaseException().Message);
        }
    }

    private async Task WriteHeartbeatAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"""
            INSERT INTO {database.Tables.Instance} (outbox_id, host_name, process_id) VALUES ($1, $2, $3)
            ON CONFLICT (outbox_id) DO UPDATE SET heartbeat_at = now()
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = _outboxId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Environment.MachineName });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Environment.ProcessId });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<int> ReleaseDeadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Never this instance, however old its heartbeat: it runs, and sends its messages itself.
        await using var remove = new NpgsqlCommand(
            $"DELETE FROM {database.Tables.Instance} WHERE heartbeat_at < now() - $1 AND outbox_id <> $2",
            connection
        );
        remove.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = _heartbeatTimeout });
        remove.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = _outboxId });
        var dead = await remove.ExecuteNonQueryAsync(cancellationToken);

        // Sometimes also when no instance died: a process that stopped in order may have had a commit in progress when it
        // released its messages, and an instance may have removed the row and died before it released the messages.
        if (dead == 0 && _heartbeats++ % HeartbeatsPerSweep != 0)
            return 0;
        await using var release = new NpgsqlCommand(
            $"""
            UPDATE {database.Tables.Message} m SET outbox_id = NULL
            WHERE m.outbox_id IS NOT NULL
              AND NOT EXISTS (SELECT FROM {database.Tables.Instance} s WHERE s.outbox_id = m.outbox_id)
            """,
            connection
        );
        var released = await release.ExecuteNonQueryAsync(cancellationToken);
        if (released > 0)
            LogTakenOver(released);
        return released;
    }

    private async Task<int> ReleaseInDoubtAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        Guid[] batches;
        lock (_inDoubt)
        {
            var now = timeProvider.GetUtcNow();
            batches = [.. _inDoubt.Select(entry => entry.BatchId)];
            _inDoubt.RemoveAll(entry => entry.Until < now);
        }

        if (batches.Length == 0)
            return 0;
        await using var command = new NpgsqlCommand(
            $"UPDATE {database.Tables.Message} SET outbox_id = NULL WHERE outbox_id = $1 AND batch_id = ANY ($2)",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = _outboxId });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = batches });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Heartbeat failed; the relay will publish the messages committed meanwhile: {Reason}"
    )]
    private partial void LogHeartbeatFailed(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Handed {Count} messages of stopped instances to the relay")]
    private partial void LogTakenOver(int count);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Release of unsent messages failed; another instance takes them over within seconds: {Reason}"
    )]
    private partial void LogReleaseFailed(string reason);
}
