namespace Sagas.OutboundCalls;

/// <summary>Wakes a target's dispatcher in this process. Signals raised together are one.</summary>
public class CallSignal : IDisposable
{
    private readonly SemaphoreSlim _raised = new(0, 1);

    /// <summary>Makes the dispatcher look for due calls now.</summary>
    public void Raise()
    {
        try
        {
            if (_raised.CurrentCount == 0)
                _raised.Release();
        }
        catch (SemaphoreFullException)
        {
            // Raised by another thread in between: once is enough.
        }
    }

    /// <summary>Waits for a signal, at most <paramref name="max"/>.</summary>
    internal Task<bool> WaitAsync(TimeSpan max, CancellationToken cancellationToken) => _raised.WaitAsync(max, cancellationToken);

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases what the signal holds.</summary>
    /// <param name="disposing">Called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            _raised.Dispose();
    }
}

/// <summary>The signal of one target.</summary>
/// <typeparam name="TTarget">The target.</typeparam>
public sealed class CallSignal<TTarget> : CallSignal
    where TTarget : CallTarget;
