using System.Diagnostics;

namespace Sagas.EndToEndTests.Processes;

/// <summary>Waits for conditions.</summary>
internal static class Until
{
    private static readonly TimeSpan _betweenLooks = TimeSpan.FromMilliseconds(50);

    /// <summary>Looks until the condition holds.</summary>
    /// <param name="what">The condition, for the one who reads that it never came true.</param>
    /// <param name="look">Says whether it holds.</param>
    /// <param name="patience">How long to look.</param>
    public static async Task TrueAsync(string what, Func<Task<bool>> look, TimeSpan patience)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await look())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < patience, $"Not within {patience.TotalSeconds:0} s: {what}.");
            await Task.Delay(_betweenLooks);
        }
    }
}
