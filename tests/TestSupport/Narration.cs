using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Sagas.TestSupport;

/// <summary>The log of a test, each line with its time; first the seed of its random numbers.</summary>
public sealed class Narration
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly ITestOutputHelper _output;

    /// <summary>Takes the seed from <c>SAGAS_TEST_SEED</c>, or a random one.</summary>
    public Narration(ITestOutputHelper output)
    {
        _output = output;
        var seed = TestSeed.Read() ?? Random.Shared.Next();
        Random = new Random(seed);
        Seed = TestSeed.Describe(seed);
        Say(Seed);
    }

    /// <summary>What to set to run the test with the same random numbers.</summary>
    public string Seed { get; }

    /// <summary>The test's random numbers. Not safe to call concurrently.</summary>
    public Random Random { get; }

    /// <summary>Since the test began.</summary>
    public TimeSpan Elapsed => _watch.Elapsed;

    /// <summary>Writes a line to the test's output and to the console.</summary>
    public void Say(string text)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{Elapsed.TotalSeconds, 7:0.0} s  {text}");
        _output.WriteLine(line);
        Console.WriteLine(line);
    }

    /// <summary>Writes a count in a column.</summary>
    public void Say(string what, long count) => Say(string.Create(CultureInfo.InvariantCulture, $"{what, -36}{count, 10:N0}"));
}
