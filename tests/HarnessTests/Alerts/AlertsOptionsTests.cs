using Sagas.Services.Alerts;
using Sagas.Services.Ledger;

namespace Sagas.HarnessTests.Alerts;

public sealed class AlertsOptionsTests
{
    [Theory]
    [InlineData("https://hooks.example.com/alerts", "", null)]
    [InlineData("http://hooks.example.com/alerts", "hooks.example.com", null)]
    [InlineData("http://hooks.example.com/alerts", "", "must be https")]
    [InlineData("http://hooks.example.com.evil.org/alerts", "hooks.example.com", "must be https")]
    [InlineData("ftp://hooks.example.com/alerts", "hooks.example.com", "absolute https address")]
    [InlineData("hooks.example.com/alerts", "", "absolute https address")]
    [InlineData("https://user:password@hooks.example.com/", "", "no user name")]
    public void Alerts_go_by_https_or_to_a_host_that_is_named(string endpoint, string allowed, string? problem)
    {
        var problems = new AlertsOptions { Endpoint = endpoint, AllowedHosts = allowed }.Problems().ToArray();

        if (problem is null)
            Assert.Empty(problems);
        else
            Assert.Contains(problem, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_secret_is_refused_and_never_repeated()
    {
        var problem = Assert.Single(new AlertsOptions { Secrets = "whsec_c2VjcmV0" }.Problems());

        Assert.DoesNotContain("c2VjcmV0", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("whsec_c2VjcmV0", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void What_makes_no_sense_is_refused_by_name()
    {
        var options = new AlertsOptions
        {
            RetrySchedule = "soon", RowsAhead = 10, RowsUndelivered = 5, LargestUpload = 0, Limit = new CallLimit { PerSecond = -1, AtOnce = 0 },
        };

        var problems = string.Join('\n', options.Problems());

        foreach (var name in (string[])["RetrySchedule", "RowsAhead", "LargestUpload", "PerSecond", "AtOnce"])
            Assert.Contains(name, problems, StringComparison.Ordinal);
    }

    [Fact]
    public void The_schedule_is_the_standards_own()
    {
        Assert.Empty(new AlertsOptions().Problems());
        Assert.Equal(
            [0, 5, 300, 1800, 7200, 18000, 36000, 36000], new AlertsOptions().ScheduledCalls.RetrySchedule!.Select(wait => wait.TotalSeconds));
    }
}
