using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Sagas.UnitTests.Architecture;

/// <summary>Rules that keep the tests fast, and the same on every machine.</summary>
public sealed partial class TestRulesTests
{
    // Files that may pause, and why.
    private static readonly Dictionary<string, string> _mayPause = new()
    {
        ["TestSupport/Eventually.cs"] = "the one loop that waits for other code",
        ["TestSupport/Chaos/ChaosTest.cs"] = "polls how much of the work is done",
        ["TestSupport/Servers/Broker.cs"] = "pauses between attempts to publish to a broker that restarts",
        ["IntegrationTests/OutboundCalls/FailingGateway.cs"] = "the latency of a third party",
        ["IntegrationTests/LocalServers/PrivatePostgresTests.cs"] = "shows that a process does not end",
        ["EndToEndTests/ObjectStatus/CallbackClient.cs"] = "the pace of a client",
    };

    // One that counts timers, and one that gives each call a fake clock of its own.
    private static readonly string[] _mayBeClocks =
    [
        "TestSupport/TimerCountingTimeProvider.cs",
        "IntegrationTests/OutboundCalls/CallTime.cs",
    ];

    [Fact]
    public void Only_Eventually_waits() =>
        Assert.Empty(Sources().Where(source => Pause().IsMatch(source.Text) && !_mayPause.ContainsKey(source.Path)).Select(Path));

    [Fact]
    public void The_fake_clock_is_the_one_of_NET() =>
        Assert.Empty(Sources().Where(source => Clock().IsMatch(source.Text) && !_mayBeClocks.Contains(source.Path)).Select(Path));

    [Fact]
    public void Every_exception_is_a_file_that_needs_it()
    {
        var sources = Sources().ToDictionary(source => source.Path, source => source.Text);

        Assert.All(_mayPause.Keys, path => Assert.Matches(Pause(), sources[path]));
        Assert.All(_mayBeClocks, path => Assert.Matches(Clock(), sources[path]));
    }

    [Fact]
    public void Test_projects_share_a_project_and_not_its_files()
    {
        var projects = Repository.Files("*.csproj").Concat(Repository.Files("*.props")).Where(IsTest).Select(XDocument.Load);

        var compiled = projects
            .SelectMany(project => project.Descendants("Compile"))
            .Attributes("Include")
            .Select(file => file.Value);

        Assert.DoesNotContain(compiled, file => file.Replace('\\', '/').Contains("../", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("await Task.Delay(10);", true)]
    [InlineData("Thread.Sleep(10);", true)]
    [InlineData("await Task.Delay(Timeout.Infinite, aborted);", false)]
    [InlineData("await Eventually.TrueAsync(what, holds);", false)]
    public void A_pause_is_recognised(string source, bool isPause) => Assert.Equal(isPause, Pause().IsMatch(source));

    [Theory]
    [InlineData("sealed class Stopped(DateTimeOffset now) : TimeProvider", true)]
    [InlineData("sealed class Stopped : IDisposable, TimeProvider\n{", true)]
    [InlineData("class Stopped : FakeTimeProvider", true)]
    [InlineData("class User(TimeProvider time) : IDisposable", false)]
    [InlineData("class User(int n) : Base(TimeProvider.System)", false)]
    public void A_clock_is_recognised(string source, bool isClock) => Assert.Equal(isClock, Clock().IsMatch(source));

    private static IEnumerable<(string Path, string Text)> Sources() =>
        Repository
            .Files("*.cs")
            .Where(IsTest)
            .Select(file => (Relative(file), File.ReadAllText(file)))
            .Where(source => source.Item1 != "UnitTests/Architecture/TestRulesTests.cs");

    private static string Path((string Path, string Text) source) => source.Path;

    private static bool IsTest(string file) => !Relative(file).StartsWith("..", StringComparison.Ordinal);

    private static string Relative(string file) =>
        System.IO.Path.GetRelativePath(System.IO.Path.Combine(Repository.Root, "tests"), file).Replace('\\', '/');

    // An infinite delay waits for its cancellation.
    [GeneratedRegex(@"\b(Task\.Delay|Thread\.Sleep)\((?!Timeout\.Infinite)")]
    private static partial Regex Pause();

    [GeneratedRegex(@"\bclass\s+\w+(<[^>]*>)?(\([^)]*\))?\s*:\s*([\w.<>]+\s*,\s*)*(Fake)?TimeProvider\b(?!\.)")]
    private static partial Regex Clock();
}
