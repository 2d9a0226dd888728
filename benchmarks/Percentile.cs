namespace Sagas.Benchmarks;

internal static class Percentile
{
    /// <summary>The value that a share of the measured values does not exceed, by the nearest-rank method.</summary>
    /// <param name="sorted">The measured values in ascending order.</param>
    /// <param name="share">The share, above 0 and at most 1.</param>
    public static double Of(IReadOnlyList<double> sorted, double share) => sorted[(int)Math.Ceiling(share * sorted.Count) - 1];
}
