using MassTransit.Context;
using MassTransit.Saga;
using Sagas.Persistence;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// Loads, adds and removes the saga of one message whose consume shares a transaction. Everything is written with the commit.
/// </summary>
internal sealed class GroupedSagaRepositoryContext<TSaga, TMessage>(ConsumeContext<TMessage> context, GroupedConsume consume)
    : ConsumeContextScope<TMessage>(context),
        SagaRepositoryContext<TSaga, TMessage>
    where TSaga : class, ISaga
    where TMessage : class
{
    private readonly ConsumeContext<TMessage> _context = context;
    private SagaTable<TSaga>? _table;

    public Task<SagaConsumeContext<TSaga, TMessage>> Add(TSaga instance) => Create(_context, instance);

    public Task<SagaConsumeContext<TSaga, TMessage>> Insert(TSaga instance) =>
        throw consume.Leave("it inserts its saga before it consumes the message");

    public async Task<SagaConsumeContext<TSaga, TMessage>> Load(Guid correlationId)
    {
        await consume.TakeTurnAsync(typeof(TSaga), correlationId, CancellationToken);
        var load = await consume.LoadAsync<TSaga>(correlationId) ?? throw consume.Leave("the mapping of its saga needs EF Core");
        _table = load.Table;
        if (load.Found is not { } found)
            return null!;
        consume.Add(found);
        return await Create(_context, found.Saga);
    }

    public Task Save(SagaConsumeContext<TSaga> context)
    {
        consume.Add(new SagaChange<TSaga>(_table!, context.Saga, null, 0) { Write = SagaWrite.Insert });
        Record(context, null, _table!.State?.Invoke(context.Saga));
        return Task.CompletedTask;
    }

    public Task Update(SagaConsumeContext<TSaga> context)
    {
        if (consume.Find(context.Saga) is { Loaded: { } loaded } change && _table!.HasChanged(change))
        {
            change.Write = SagaWrite.Update;
            Record(context, _table.State?.Invoke(loaded), _table.State?.Invoke(context.Saga));
        }

        return Task.CompletedTask;
    }

    public Task Delete(SagaConsumeContext<TSaga> context)
    {
        if (consume.Find(context.Saga) is { Loaded: { } loaded } change)
        {
            change.Write = SagaWrite.Delete;
            Record(context, _table!.State?.Invoke(loaded), SagaHistory.Final);
        }

        return Task.CompletedTask;
    }

    public Task Discard(SagaConsumeContext<TSaga> context) => Task.CompletedTask;

    public Task Undo(SagaConsumeContext<TSaga> context)
    {
        if (consume.Find(context.Saga) is { } change)
            consume.Remove(change);
        return Task.CompletedTask;
    }

    public Task<SagaConsumeContext<TSaga, T>> CreateSagaConsumeContext<T>(
        ConsumeContext<T> consumeContext,
        TSaga instance,
        SagaConsumeContextMode mode
    )
        where T : class => Create(consumeContext, instance);

    private void Record(SagaConsumeContext<TSaga> context, string? from, string? to)
    {
        if (_table!.State is not null)
            consume.Effects.Add(SagaHistory.Transition(_table.Name, context, typeof(TMessage).Name, from, to!));
    }

    private static Task<SagaConsumeContext<TSaga, T>> Create<T>(ConsumeContext<T> consumeContext, TSaga instance)
        where T : class =>
        Task.FromResult<SagaConsumeContext<TSaga, T>>(new DefaultSagaConsumeContext<TSaga, T>(consumeContext, instance));
}
