namespace Sagas.Persistence;

/// <summary>Lets work on the same thing in this process happen one after the other, in the order of its arrival.</summary>
internal sealed class Turns
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Type Kind, Guid Id), Queue<TaskCompletionSource>> _waiting = [];

    /// <summary>Waits for a turn, which lasts until <see cref="Release"/>.</summary>
    public async ValueTask TakeAsync((Type Kind, Guid Id) thing, CancellationToken cancellationToken)
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_waiting.TryAdd(thing, []))
                return;
            _waiting[thing].Enqueue(turn);
        }

        await using var _ = cancellationToken.Register(() => turn.TrySetCanceled(cancellationToken));
        await turn.Task;
    }

    /// <summary>Ends a turn.</summary>
    public void Release((Type Kind, Guid Id) thing)
    {
        lock (_lock)
        {
            var waiting = _waiting[thing];
            while (waiting.TryDequeue(out var next))
            {
                if (next.TrySetResult())
                    return;
            }

            _waiting.Remove(thing);
        }
    }
}
