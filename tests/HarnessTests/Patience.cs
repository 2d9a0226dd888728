namespace Sagas.HarnessTests;

/// <summary>How long tests wait for what must come.</summary>
internal static class Patience
{
    /// <summary>Reached only by what never comes: many times what it takes on a machine that does much else.</summary>
    public static TimeSpan Long { get; } = TimeSpan.FromMinutes(3);

    /// <summary>Awaits what other tasks do.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Long);
        while (!condition())
            await Task.Delay(1, patience.Token);
    }
}
