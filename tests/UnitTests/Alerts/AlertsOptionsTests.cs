using Sagas.OutboundCalls;
using Sagas.Services.Alerts;
using Sagas.UnitTests.OutboundCalls;

namespace Sagas.UnitTests.Alerts;

public sealed class AlertsOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(new AlertsOptions().Validate());

    [Theory]
    [InlineData("https://receiver.example/hook", "", true)]
    [InlineData("http://receiver.example/hook", "", false)]
    [InlineData("http://receiver.example/hook", "other, receiver.example", true)]
    [InlineData("ftp://receiver.example/hook", "receiver.example", false)]
    [InlineData("https://user:secret@receiver.example/", "", false)]
    [InlineData("/hook", "", false)]
    public void An_endpoint_is_https_or_allowed(string endpoint, string allowed, bool usable) =>
        Assert.Equal(
            usable,
            !new AlertsOptions { Endpoint = endpoint, AllowedHosts = allowed }
                .Validate()
                .Any()
        );

    [Fact]
    public void Every_problem_is_reported_without_the_secret()
    {
        var problems = new AlertsOptions
        {
            Secrets = "whsec_c2hvcnQ=",
            RetrySchedule = "soon",
            MaxRowsAhead = 0,
            Limit = new CallRateLimit { PerSecond = 0, MaxConcurrency = -1 },
        }
            .Validate()
            .ToArray();

        Assert.Equal(5, problems.Length);
        Assert.DoesNotContain(problems, problem => problem.Contains("c2hvcnQ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0,90s,24:00:00", "00:00:00,00:01:30,1.00:00:00")]
    [InlineData("24", "")]
    public void The_retry_schedule_has_durations_as_people_write_them(string schedule, string delays) =>
        Assert.Equal(delays, string.Join(',', new AlertsOptions { RetrySchedule = schedule }.Schedule));

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 300)]
    [InlineData(7, 36_000)]
    public void A_failed_attempt_waits_for_its_scheduled_delay_and_up_to_a_fifth_longer(int attempts, double seconds)
    {
        var retry = RetryPolicy.Schedule(new AlertsOptions().Schedule);
        // The age that parks other calls does not count here.
        var call = SomeTarget.Call(attempts: attempts, age: TimeSpan.FromDays(30));

        Assert.Equal(
            seconds,
            CallUpdate.Decide(call, CallOutcome.Unknown("500"), retry, TimeSpan.Zero, random: 0).Delay?.TotalSeconds
        );
        Assert.Equal(
            seconds * 1.2,
            CallUpdate.Decide(call, CallOutcome.Unknown("500"), retry, TimeSpan.Zero, random: 1).Delay!.Value.TotalSeconds,
            0.001
        );
    }

    [Fact]
    public void After_the_last_attempt_of_the_schedule_it_is_parked() =>
        Assert.Equal(
            "parked",
            CallUpdate
                .Decide(
                    SomeTarget.Call(attempts: 8),
                    CallOutcome.Unknown("500"),
                    RetryPolicy.Schedule(new AlertsOptions().Schedule),
                    TimeSpan.Zero,
                    0
                )
                .State
        );
}
