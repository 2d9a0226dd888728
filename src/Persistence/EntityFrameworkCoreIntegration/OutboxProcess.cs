using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// This process as an owner of outbox messages. It says every second that it lives; every process hands the messages of those
/// that stopped saying so to the relay.
/// </summary>
internal sealed partial class OutboxProcess(OutboxDatabase database, TimeProvider timeProvider, OutboxSignal signal, ILogger<OutboxProcess> logger)
    : BackgroundService
{
    private static readonly TimeSpan _renewEvery = TimeSpan.FromSeconds(1);

    // A process that could not renew for this long leaves its messages to the relay. Shorter than the next, so that a process
    // which others are about to take for dead has stopped owning new messages by then.
    private static readonly TimeSpan _ownsFor = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _deadAfter = TimeSpan.FromSeconds(5);

    // A commit whose connection broke may still happen on the server; this is how long it is looked for.
    private static readonly TimeSpan _inDoubtFor = TimeSpan.FromMinutes(2);

    private const int RenewalsBetweenSweeps = 5;

    private readonly Guid _outboxId = NewId.NextGuid();
    private readonly List<(Guid BatchId, DateTimeOffset Until)> _inDoubt = [];
    private long _renewed;
    private int _renewals;

    /// <summary>The owner of messages that are committed now; null when the relay is to send them.</summary>
    public Guid? OutboxId => _renewed != 0 && timeProvider.GetElapsedTime(_renewed) < _ownsFor ? _outboxId : null;

    /// <summary>Gives a batch to the relay whose commit may or may not have happened.</summary>
    public void ReleaseInDoubt(Guid batchId)
    {
        lock (_inDoubt)
            _inDoubt.Add((batchId, timeProvider.GetUtcNow() + _inDoubtFor));
    }

    /// <inheritdoc />
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the bus starts, so that the first message already has an owner; a database that is not up yet is no reason to
        // stop: until it is renewed, the process owns nothing.
        await TryRenewAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        _renewed = 0;
        try
        {
            await database.ExecuteAsync(
                """
                WITH gone AS (DELETE FROM outbox_state WHERE outbox_id = $1)
                UPDATE outbox_message SET outbox_id = NULL WHERE outbox_id = $1
                """,
                cancellationToken,
                new NpgsqlParameter<Guid> { TypedValue = _outboxId });
        }
        catch (Exception exception)
        {
            // The others find out by themselves that this process is gone.
            LogNotReleased(exception.GetBaseException().Message);
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_renewEvery, timeProvider);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await TryRenewAsync(stoppingToken);
    }

    private async Task TryRenewAsync(CancellationToken cancellationToken)
    {
        try
        {
            var start = timeProvider.GetTimestamp();
            await using var connection = await database.OpenAsync(cancellationToken);
            await RenewAsync(connection.Npgsql, cancellationToken);
            _renewed = start;
            if (await ReleaseDeadAsync(connection.Npgsql, cancellationToken) + await ReleaseInDoubtAsync(connection.Npgsql, cancellationToken) > 0)
                signal.Set();
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogNotRenewed(exception.GetBaseException().Message);
        }
    }

    private async Task RenewAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO outbox_state (outbox_id, host_name, process_id) VALUES ($1, $2, $3)
            ON CONFLICT (outbox_id) DO UPDATE SET renewed = now()
            """,
            connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = _outboxId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Environment.MachineName });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Environment.ProcessId });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<int> ReleaseDeadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Never this process, however long ago it renewed: it lives, and sends its messages itself.
        await using var remove = new NpgsqlCommand("DELETE FROM outbox_state WHERE renewed < now() - $1 AND outbox_id <> $2", connection);
        remove.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = _deadAfter });
        remove.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = _outboxId });
        var dead = await remove.ExecuteNonQueryAsync(cancellationToken);

        // Now and then also when nobody died: a process that ended in order may have had a commit under way when it gave its
        // messages up, and another process may have removed the row and then died itself.
        if (dead == 0 && _renewals++ % RenewalsBetweenSweeps != 0)
            return 0;
        await using var release = new NpgsqlCommand(
            """
            UPDATE outbox_message m SET outbox_id = NULL
            WHERE m.outbox_id IS NOT NULL AND NOT EXISTS (SELECT FROM outbox_state s WHERE s.outbox_id = m.outbox_id)
            """,
            connection);
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
            "UPDATE outbox_message SET outbox_id = NULL WHERE outbox_id = $1 AND batch_id = ANY ($2)", connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = _outboxId });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = batches, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "This process could not say that it lives; messages committed meanwhile go by the relay: {Reason}")]
    private partial void LogNotRenewed(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Took over {Count} messages of a process that is gone")]
    private partial void LogTakenOver(int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Unsent messages were not handed over; another process takes them in a few seconds: {Reason}")]
    private partial void LogNotReleased(string reason);
}

/// <summary>Wakes the relay.</summary>
internal sealed class OutboxSignal
{
    private TaskCompletionSource _next = New();

    /// <summary>Completes at the next <see cref="Set"/>. Take it before looking for work, so that no signal is missed.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Set() => Interlocked.Exchange(ref _next, New()).SetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
