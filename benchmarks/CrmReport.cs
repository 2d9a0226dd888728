using Sagas.Cli.CommandLine;

namespace Sagas.Benchmarks;

/// <summary>What <c>sagas bench crm</c> found.</summary>
/// <param name="CeilingRatio">Delivery rate over what a CRM bears that takes 10 ms a call and 10 calls at once.</param>
/// <param name="CeilingRatioWithFaults">The same with 20 % random failures, over the rate that is then possible.</param>
/// <param name="PerSecond">Customers per second to a CRM that takes 64 calls at once, until they are synced in the database.</param>
internal sealed record CrmReport(double CeilingRatio, double CeilingRatioWithFaults, double PerSecond)
{
    private const int AtOnce = 10;
    private const int ManyAtOnce = 64;
    private const double Failures = 0.2;

    public static async Task<CrmReport> MeasureAsync(Terminal terminal, bool quick, CancellationToken stop)
    {
        var benchmark = new CrmBenchmark(terminal, terminal.Error.WriteLine);
        const double ceiling = AtOnce * 1000.0 / CrmBenchmark.LatencyMs;
        var few = quick ? 5_000 : 20_000;
        var without = await benchmark.RunAsync(few, AtOnce, 0, stop);
        var with = await benchmark.RunAsync(few, AtOnce, Failures, stop);
        var many = await benchmark.RunAsync(quick ? 20_000 : 100_000, ManyAtOnce, 0, stop);
        // Every failed call takes its place as a good one does, and has to be made again.
        return new CrmReport(
            without.DeliveredPerSecond / ceiling,
            with.DeliveredPerSecond / (ceiling * (1 - Failures)),
            many.SyncedPerSecond
        );
    }
}
