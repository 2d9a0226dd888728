using MassTransit;

namespace Sagas.Services.Ledger;

/// <summary>Wakes a target's dispatcher in this process; wakes that come together are one.</summary>
public class LedgerSignal : IDisposable
{
    private readonly SemaphoreSlim _raised = new(0, 1);

    /// <summary>Has the dispatcher look for due calls now.</summary>
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

    /// <summary>Waits for a wake, at most <paramref name="longest"/>.</summary>
    internal Task<bool> WaitAsync(TimeSpan longest, CancellationToken cancellation) => _raised.WaitAsync(longest, cancellation);

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
public sealed class LedgerSignal<TTarget> : LedgerSignal
    where TTarget : LedgerTarget;

/// <summary>Raises a signal when a message has been consumed. It stands around the whole receive pipeline, and thus
/// behind the commit of whatever transaction the consumer ran in.</summary>
/// <param name="signal">The signal.</param>
public sealed class LedgerWakeFilter(LedgerSignal signal) : IFilter<ReceiveContext>
{
    /// <inheritdoc />
    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        await next.Send(context);
        signal.Raise();
    }

    /// <inheritdoc />
    public void Probe(ProbeContext context) => context.CreateFilterScope("ledgerWake");
}
