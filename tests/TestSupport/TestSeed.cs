using System.Globalization;
using Xunit.Abstractions;

namespace Sagas.TestSupport;

/// <summary>The seed of a test's random numbers, which <c>SAGAS_TEST_SEED</c> sets.</summary>
public static class TestSeed
{
    private const string Variable = "SAGAS_TEST_SEED";

    /// <summary>Takes a seed and prints it, so that a failed test can be run again with the same numbers.</summary>
    /// <param name="output">The test's output.</param>
    /// <param name="otherwise">The seed where none is set; a random one where not given.</param>
    public static int Take(ITestOutputHelper output, int? otherwise = null)
    {
        var seed = Read() ?? otherwise ?? Random.Shared.Next();
        output.WriteLine(Describe(seed));
        return seed;
    }

    internal static int? Read() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : null;

    internal static string Describe(int seed) => string.Create(CultureInfo.InvariantCulture, $"{Variable}={seed}");
}
