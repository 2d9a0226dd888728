using System.Globalization;
using Xunit.Abstractions;

namespace Sagas.TestSupport;

/// <summary>The seed of a test's random numbers: that of <c>SAGAS_TEST_SEED</c>, or a new one.</summary>
public static class TestSeed
{
    /// <summary>Takes a seed and prints it, so that a failed test can be run again with the same numbers.</summary>
    public static int Take(ITestOutputHelper output)
    {
        var seed = Environment.GetEnvironmentVariable("SAGAS_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        output.WriteLine($"SAGAS_TEST_SEED={seed}");
        return seed;
    }
}
