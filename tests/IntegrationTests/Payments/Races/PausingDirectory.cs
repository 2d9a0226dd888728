using System.Collections.Concurrent;
using Sagas.Customers;
using Sagas.Database;

namespace Sagas.IntegrationTests.Payments.Races;

/// <summary>Points within the two transactions at which a test can hold one of them.</summary>
internal enum RacePoint
{
    /// <summary>The payment's transaction has looked for its customer; nothing of it is committed.</summary>
    PaymentHasLooked,

    /// <summary>The customer's transaction is about to look for waiting payments.</summary>
    CustomerIsAboutToRelease,

    /// <summary>The customer's transaction has looked for waiting payments; nothing of it is committed.</summary>
    CustomerHasReleased,
}

/// <summary>Holds the next transaction that reaches a point until the test releases it.</summary>
internal sealed class Pauses
{
    private readonly ConcurrentDictionary<RacePoint, Pause> _armed = [];

    public Pause ArmAt(RacePoint point, bool fail = false) => _armed[point] = new Pause(fail);

    public Task PassAsync(RacePoint point) => _armed.TryRemove(point, out var pause) ? pause.HoldAsync() : Task.CompletedTask;
}

/// <summary>A held transaction.</summary>
/// <param name="fail">Whether it fails when it is released.</param>
internal sealed class Pause(bool fail)
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task ReachedAsync() => _reached.Task.WaitAsync(Eventually.Timeout);

    public void Release() => _go.SetResult();

    public async Task HoldAsync()
    {
        _reached.SetResult();
        await _go.Task;
        if (fail)
            throw new InvalidOperationException("The test made this transaction fail.");
    }
}

/// <summary>The directory in Postgres, with points to hold it at.</summary>
internal sealed class PausingDirectory(CustomerDirectory directory, Pauses pauses) : ICustomerDirectory
{
    public async Task<bool> IsKnownAsync(string customerId, CancellationToken cancellationToken)
    {
        var known = await directory.IsKnownAsync(customerId, cancellationToken);
        await pauses.PassAsync(RacePoint.PaymentHasLooked);
        return known;
    }

    public async Task<IReadOnlyList<string>> FindWaitingPaymentsAsync(string customerId, CancellationToken cancellationToken)
    {
        await pauses.PassAsync(RacePoint.CustomerIsAboutToRelease);
        var waiting = await directory.FindWaitingPaymentsAsync(customerId, cancellationToken);
        await pauses.PassAsync(RacePoint.CustomerHasReleased);
        return waiting;
    }
}
