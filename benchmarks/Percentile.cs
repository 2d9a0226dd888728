namespace Sagas.Benchmarks;

internal static class Percentile
{
    /// <summary>The value that a share of the measured values does not exceed, by the nearest-rank method.</summary>
    /// <param name="sorted">The measured values in ascending order.</param>
    /// <param name="share">The share, above 0 and at most 1.</param>
    public static double Of(IReadOnlyList<double> sorted, double share) => sorted[(int)Math.Ceiling(share * sorted.Count) - 1];

    /// <summary>The median of a figure over rounds.</summary>
    public static double Median<TRound>(IEnumerable<TRound> rounds, Func<TRound, double> figure)
    {
        var sorted = rounds.Select(figure).Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
