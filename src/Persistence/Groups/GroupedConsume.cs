using System.Runtime.ExceptionServices;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;

namespace Sagas.Persistence;

/// <summary>
/// A consume that shares its transaction with others. Nothing is written while it runs: what it does is collected, and the group
/// writes and commits it. Code that asks for the transaction itself makes the consume leave the group.
/// </summary>
/// <param name="groups">The groups.</param>
/// <param name="consumer">What consumes the message.</param>
/// <param name="inbox">The message.</param>
/// <param name="hasChanges">Whether the consumer has changed entities of its context, which it need not save itself.</param>
internal sealed class GroupedConsume(ConsumeGroups groups, GroupedConsumer consumer, InboxEntry inbox, Func<bool> hasChanges)
    : IConsumeTransaction
{
    private static readonly AsyncLocal<GroupedConsume?> _current = new();

    private readonly List<(Type Kind, Guid Id)> _turns = [];
    private readonly List<SagaChange> _sagas = [];
    private readonly List<(ICommitStatement Statement, object Row)> _rows = [];
    private bool _isRunning;

    /// <summary>The consume that the caller is part of; null outside.</summary>
    public static GroupedConsume? Current => _current.Value is { _isRunning: true } consume ? consume : null;

    public ConsumeEffects Effects { get; } = new();

    public Guid Id => throw Leave("it asks for the id of its transaction");

    public InboxEntry Inbox => inbox;

    /// <summary>The sagas that it loaded and created.</summary>
    public IReadOnlyList<SagaChange> Sagas => _sagas;

    /// <summary>Rows of statements that the consumer added to the commit.</summary>
    public IReadOnlyList<(ICommitStatement Statement, object Row)> Rows => _rows;

    /// <summary>Whether it is to be consumed in a transaction of its own.</summary>
    public bool HasLeft { get; private set; }

    /// <summary>The commit failed, or its outcome is unknown.</summary>
    public Exception? Failure { get; set; }

    /// <summary>The commit found that the message had its effect before.</summary>
    public bool WasConsumedBefore { get; set; }

    /// <summary>Runs the consumer.</summary>
    public async Task RunAsync(Func<Task> run)
    {
        _current.Value = this;
        _isRunning = true;
        try
        {
            await run();
        }
        finally
        {
            _isRunning = false;
        }
    }

    /// <summary>Leaves the group: every message of this consumer will.</summary>
    /// <param name="reason">Why, as the end of a sentence.</param>
    /// <returns>What to throw, so that the consumer ends.</returns>
    public LeavesGroupException Leave(string reason)
    {
        groups.Exclude(consumer, reason);
        return LeaveOnce(reason);
    }

    /// <summary>Leaves the group: this message does.</summary>
    /// <param name="reason">Why, as the end of a sentence.</param>
    /// <returns>What to throw, so that the consumer ends.</returns>
    public LeavesGroupException LeaveOnce(string reason)
    {
        HasLeft = true;
        return new LeavesGroupException(reason);
    }

    public void Add(ICommitStatement statement, object row)
    {
        lock (_rows)
            _rows.Add((statement, row));
    }

    public void Add(SagaChange saga) => _sagas.Add(saga);

    public void Remove(SagaChange saga) => _sagas.Remove(saga);

    public SagaChange<TSaga>? Find<TSaga>(TSaga saga)
        where TSaga : class => _sagas.OfType<SagaChange<TSaga>>().FirstOrDefault(change => ReferenceEquals(change.Saga, saga));

    /// <inheritdoc cref="ConsumeGroups.LoadAsync{TSaga}"/>
    public Task<SagaLoad<TSaga>?> LoadAsync<TSaga>(Guid correlationId)
        where TSaga : class, ISaga => groups.LoadAsync<TSaga>(correlationId);

    /// <summary>Waits until no other message of this process works on a thing.</summary>
    public async Task TakeTurnAsync(Type kind, Guid id, CancellationToken cancellationToken)
    {
        if (_turns.Contains((kind, id)))
            return;
        await groups.Turns.TakeAsync((kind, id), cancellationToken);
        _turns.Add((kind, id));
    }

    /// <summary>Lets the others continue.</summary>
    public void EndTurns()
    {
        foreach (var turn in _turns)
            groups.Turns.Release(turn);
        _turns.Clear();
    }

    public async Task<IReadOnlyList<OutboxMessage>> CommitAsync(CancellationToken cancellationToken)
    {
        // The consumer may have caught the exception that should have ended it.
        if (HasLeft)
            throw new LeavesGroupException("see before");
        if (hasChanges())
            throw Leave("it changes entities");
        // The group's writing is not part of any consume.
        _isRunning = false;
        await groups.CommitAsync(this);
        if (HasLeft)
            throw new LeavesGroupException("its commit failed");
        if (WasConsumedBefore)
            throw new MessageConsumedBeforeException(Failure!);
        if (Failure is not null)
            ExceptionDispatchInfo.Throw(Failure);
        return Effects.Owned();
    }
}
