using Sagas.EndToEndTests.Processes;
using Sagas.TestSupport.Chaos;

namespace Sagas.EndToEndTests.Chaos;

/// <summary>The work of one feature in a chaos test, and the books that balance afterwards. Several may use one system at a
/// time, so each looks at rows and queues of its own only.</summary>
/// <param name="narration">What the test says, and its random numbers.</param>
internal abstract class ChaosScenario(Narration narration) : IAsyncDisposable
{
    /// <summary>What the test says, and its random numbers.</summary>
    protected Narration Narration => narration;

    /// <summary>The system under test.</summary>
    protected RunningSystem Running { get; private set; } = null!;

    /// <summary>The roles of the services.</summary>
    public abstract string[] Roles { get; }

    /// <summary>More configuration of the services.</summary>
    public virtual (string Key, string Value)[] Settings => [];

    /// <summary>Configuration of the simulators.</summary>
    public virtual (string Key, string Value)[] SimulatorSettings => [];

    /// <summary>Queries whose rows describe where everything is.</summary>
    public virtual string[] Sections => [];

    /// <summary>Prepares the system, whose simulators run and whose services do not yet.</summary>
    /// <param name="running">The system.</param>
    public Task PrepareAsync(RunningSystem running)
    {
        Running = running;
        return PrepareAsync();
    }

    /// <summary>Disturbances beside those of services and servers.</summary>
    /// <param name="moments">Makes a number of random moments.</param>
    public virtual IEnumerable<Disturbance> Disturbances(Func<int, double[]> moments) => [];

    /// <inheritdoc cref="ChaosTest.WorkAsync"/>
    public abstract Task WorkAsync();

    /// <inheritdoc cref="ChaosTest.ShareAsync"/>
    public abstract Task<double> ShareAsync();

    /// <inheritdoc cref="ChaosTest.UnsettledAsync"/>
    public abstract Task<string> UnsettledAsync();

    /// <inheritdoc cref="ChaosTest.BalanceAsync"/>
    public abstract Task BalanceAsync();

    /// <summary>Describes where everything is, beside <see cref="Sections"/>.</summary>
    public virtual Task<string> DescribeAsync() => Task.FromResult("");

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Prepares what the scenario needs before the services start.</summary>
    protected virtual Task PrepareAsync() => Task.CompletedTask;
}
