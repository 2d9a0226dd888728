using MassTransit.EntityFrameworkCoreIntegration;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>What consuming one message leaves to its commit: history, scheduled messages to cancel, and outgoing
/// messages.</summary>
internal sealed class ConsumeEffects
{
    // A consumer may publish concurrently.
    private readonly Lock _lock = new();
    private readonly List<OutboxMessage> _messages = [];
    private readonly List<Guid> _cancelled = [];
    private readonly List<SagaTransition> _transitions = [];
    private OutboxMessage? _batchHead;

    /// <summary>Whether a message is due later.</summary>
    public bool HasScheduledMessages { get; private set; }

    /// <summary>The redelivery of the consumed message that the consumer itself has scheduled.</summary>
    public int? AwaitingRedelivery { get; set; }

    /// <summary>The outgoing messages, in their order.</summary>
    public IReadOnlyList<OutboxMessage> Messages => _messages;

    /// <summary>Tokens of the scheduled messages to cancel.</summary>
    public IReadOnlyList<Guid> Cancelled => _cancelled;

    /// <summary>The history.</summary>
    public IReadOnlyList<SagaTransition> Transitions => _transitions;

    /// <summary>The messages that are due now, as one batch; null where there are none.</summary>
    public Guid? BatchId => _batchHead?.BatchId;

    public void Add(SagaTransition transition)
    {
        lock (_lock)
            _transitions.Add(transition);
    }

    public void Add(OutboxMessage message)
    {
        lock (_lock)
        {
            if (message.Delay is not null)
            {
                HasScheduledMessages = true;
            }
            else if (_batchHead is null)
            {
                _batchHead = message;
            }
            else
            {
                message.BatchId = _batchHead.BatchId;
                message.Position = _batchHead.BatchSize++;
            }

            _messages.Add(message);
        }
    }

    /// <summary>Removes a scheduled message, also one scheduled by this consume.</summary>
    public void CancelScheduled(Guid tokenId)
    {
        lock (_lock)
        {
            if (_messages.RemoveAll(message => message.ScheduleTokenId == tokenId) == 0)
                _cancelled.Add(tokenId);
        }
    }

    /// <summary>Gives the messages that are due now their owner.</summary>
    public void Own(Guid? owner)
    {
        foreach (var message in _messages.Where(message => message.Delay is null))
            message.OutboxId = owner;
    }

    /// <summary>The messages that their owner publishes from memory, once committed.</summary>
    public IReadOnlyList<OutboxMessage> Owned() =>
        _batchHead?.OutboxId is null ? [] : _messages.FindAll(message => message.OutboxId is not null);

    /// <summary>Adds the statements for the effects of one or more consumes to a batch.</summary>
    /// <returns>The messages, whose sequence numbers the first result has, in their order.</returns>
    public static IReadOnlyList<OutboxMessage> AddTo(
        NpgsqlBatch batch,
        OutboxTables tables,
        params IReadOnlyList<ConsumeEffects> consumes
    )
    {
        // Before the messages: one of them may be scheduled anew under its token.
        if (All(consumes, effects => effects._cancelled) is { Count: > 0 } cancelled)
        {
            batch.BatchCommands.Add(
                new NpgsqlBatchCommand(tables.Outbox.DeleteScheduled)
                {
                    Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = [.. cancelled] } },
                }
            );
        }

        var messages = All(consumes, effects => effects._messages);
        if (messages.Count > 0)
            batch.BatchCommands.Add(tables.Outbox.InsertMessages(messages));
        if (All(consumes, effects => effects._transitions) is { Count: > 0 } transitions)
            batch.BatchCommands.Add(tables.Outbox.InsertTransitions(transitions));
        return messages;
    }

    /// <summary>Gives messages their sequence numbers, and reads the answer to the end.</summary>
    /// <param name="reader">The answer to the batch.</param>
    /// <param name="messages">What <see cref="AddTo"/> returned.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task ReadNumbersAsync(
        NpgsqlDataReader reader,
        IReadOnlyList<OutboxMessage> messages,
        CancellationToken cancellationToken
    )
    {
        for (var index = 0; index < messages.Count && await reader.ReadAsync(cancellationToken); index++)
            messages[index].SequenceNumber = reader.GetInt64(0);
        while (await reader.NextResultAsync(cancellationToken)) { }
    }

    /// <summary>
    /// Hands the messages to the relay after a commit whose outcome is unknown: a server may report its shutdown after it
    /// committed, and then no instance has them in memory.
    /// </summary>
    public void ReleaseInDoubt(OutboxInstance? process)
    {
        if (Owned().Count > 0)
            process!.ReleaseInDoubt(BatchId!.Value);
    }

    private static List<T> All<T>(IReadOnlyList<ConsumeEffects> consumes, Func<ConsumeEffects, List<T>> of) =>
        consumes.Count == 1 ? of(consumes[0]) : [.. consumes.SelectMany(of)];
}
