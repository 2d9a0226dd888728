using System.Collections.Concurrent;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Sagas.Persistence;

/// <summary>
/// Reads and writes for messages that are consumed at the same time, those of all together: one round trip reads their sagas, one
/// writes their effects and commits. While one group is written the next one gathers, so that a message alone never waits.
/// </summary>
internal sealed partial class ConsumeGroups
{
    // One is written while another waits for the disk.
    private const int ConcurrentGroups = 2;

    // Real time, whatever clock the program has: it is for throughput, and nothing else depends on it.
    // A statement costs nearly the same for two rows as for fifty: under load a group of fifty is cheaper than it is late.
    private static readonly TimeSpan _gatherDelay = TimeSpan.FromMilliseconds(4);

    private readonly OutboxDatabase _database;
    private readonly GroupWriter _writer;
    private readonly BatchingOptions _batching;
    private readonly ILogger _logger;
    private readonly HashSet<string> _sagas;
    private readonly BatchingWriter<GroupedConsume> _commits;
    private readonly BatchingWriter<InboxLookup> _lookups;
    private readonly ConcurrentDictionary<GroupedConsumer, bool> _excluded = new();
    private readonly ConcurrentDictionary<GroupedConsumer, bool> _included = new();
    private readonly ConcurrentDictionary<Type, object?> _loads = new();

    public ConsumeGroups(
        OutboxDatabase database,
        OutboxInstance process,
        IEnumerable<EntityFrameworkSaga> sagas,
        IOptions<EntityFrameworkOutboxOptions> options,
        ILogger<ConsumeGroups> logger
    )
    {
        (_database, _logger) = (database, logger);
        _writer = new(database, process);
        _batching = new(options.Value.MaxGroupSize, ConcurrentGroups, _gatherDelay, GathersOnlyUnderLoad: true);
        _sagas = [.. sagas.Select(saga => saga.Name)];
        _commits = new(_batching, _writer.CommitAsync, TimeProvider.System);
        _lookups = new(_batching, _writer.FindAsync, TimeProvider.System);
    }

    /// <summary>One message works on a saga at a time.</summary>
    public Turns Turns { get; } = new();

    /// <summary>Whether all that a consumer does is in its transaction, so that its inbox row may come with the commit.</summary>
    public bool IsSaga(string consumerType) => _sagas.Contains(consumerType);

    /// <summary>Whether messages of a consumer share a transaction.</summary>
    public bool Includes(GroupedConsumer consumer) =>
        !_excluded.ContainsKey(consumer) && (_included.ContainsKey(consumer) || IsSaga(consumer.ConsumerType));

    /// <summary>A consumer's messages share a transaction from now on.</summary>
    public void Include(GroupedConsumer consumer) => _included.TryAdd(consumer, true);

    /// <summary>A consumer's messages have transactions of their own from now on.</summary>
    public void Exclude(GroupedConsumer consumer, string reason)
    {
        if (_excluded.TryAdd(consumer, true))
            LogExcluded(consumer.MessageType.Name, consumer.ConsumerType, reason);
    }

    /// <summary>Whether a message has had its effect.</summary>
    public async Task<bool> WasConsumedAsync(InboxEntry inbox)
    {
        var lookup = new InboxLookup(inbox);
        await _lookups.WriteAsync(lookup);
        return lookup.WasConsumed;
    }

    /// <summary>Reads a saga.</summary>
    /// <returns>The table, and the saga where it exists; null where only EF Core can read and write it.</returns>
    public async Task<SagaLoad<TSaga>?> LoadAsync<TSaga>(Guid correlationId)
        where TSaga : class, MassTransit.ISaga
    {
        if (_loads.GetOrAdd(typeof(TSaga), _ => CreateLoads<TSaga>()) is not SagaLoads<TSaga> loads)
            return null;
        var load = new SagaLoad<TSaga>(loads.Table, correlationId);
        await loads.Batches.WriteAsync(load);
        return load;
    }

    /// <summary>Commits a consume, whose results say how that ended.</summary>
    public Task CommitAsync(GroupedConsume consume) => _commits.WriteAsync(consume);

    private SagaLoads<TSaga>? CreateLoads<TSaga>()
        where TSaga : class, MassTransit.ISaga =>
        SagaTableBuilder.Build<TSaga>(_database.Model) is { } table
            ? new(table, new(_batching, batch => _writer.LoadAsync(table, batch), TimeProvider.System))
            : null;

    private sealed record SagaLoads<TSaga>(SagaTable<TSaga> Table, BatchingWriter<SagaLoad<TSaga>> Batches)
        where TSaga : class, MassTransit.ISaga;

    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Each {Message} for {Consumer} is consumed in a transaction of its own from now on: {Reason}"
    )]
    private partial void LogExcluded(string message, string consumer, string reason);
}

/// <summary>A question to the inbox.</summary>
internal sealed class InboxLookup(InboxEntry inbox)
{
    public InboxEntry Inbox => inbox;

    public bool WasConsumed { get; set; }
}

/// <summary>A saga to read.</summary>
internal sealed class SagaLoad<TSaga>(SagaTable<TSaga> table, Guid correlationId)
    where TSaga : class, MassTransit.ISaga
{
    public SagaTable<TSaga> Table => table;

    public Guid CorrelationId => correlationId;

    public SagaChange<TSaga>? Found { get; set; }
}
