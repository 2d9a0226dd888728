using Sagas.Contracts;
using Sagas.Services.Alarms;
using Sagas.UnitTests.Host;

namespace Sagas.UnitTests.Alarms;

public sealed class AlarmChangeTests
{
    private static readonly Instant _early = Instant.Parse("2021-06-07T20:40:15.598765212Z");
    private static readonly Instant _late = Instant.Parse("2021-06-07T20:40:15.598765213Z");

    [Fact]
    public void Ids_are_trimmed_and_the_status_is_in_capitals() =>
        Assert.Equal(
            new AlarmChange("u", "a", "CRITICAL", _late),
            AlarmChange.Of(new AlarmStatusChanged(" a", "u ", " Critical", _late))
        );

    [Fact]
    public void Of_several_changes_of_one_alarm_the_newest_is_written_in_any_order()
    {
        AlarmChange early = new("u", "a", "WARNING", _early),
            late = new("u", "a", "CLEARED", _late);
        Assert.Equal([late], AlarmChange.Newest([early, late]));
        Assert.Equal([late], AlarmChange.Newest([late, early]));
    }

    [Fact]
    public void Of_two_changes_at_the_same_time_the_first_is_written()
    {
        AlarmChange first = new("u", "a", "WARNING", _late),
            second = new("u", "a", "CRITICAL", _late);
        Assert.Equal([first], AlarmChange.Newest([first, second]));
    }

    [Fact]
    public void The_same_alarm_of_two_users_is_two_alarms() =>
        Assert.Equal(2, AlarmChange.Newest([new("u", "a", "WARNING", _late), new("v", "a", "WARNING", _late)]).Count);

    [Theory]
    [InlineData("2021-06-07T20:40:15.598765212Z")]
    [InlineData("2021-06-07T20:40:15.500Z")]
    [InlineData("2021-06-07T20:40:15Z")]
    [InlineData("2021-06-07T20:40:15.000000000Z")]
    [InlineData("1970-01-01T00:00:00.000000001Z")]
    [InlineData("9999-12-31T23:59:59.999999999Z")]
    public void A_time_is_restored_exactly_from_its_number(string text) =>
        Assert.Equal(text, AlarmRows.FromNumber(AlarmRows.ToNumber(Instant.Parse(text))).ToString());

    [Theory]
    [InlineData(0, true)]
    [InlineData(0.5, false)]
    [InlineData(1, true)]
    [InlineData(-1, false)]
    [InlineData(86_400 * 400, false)]
    public void The_digest_interval_is_zero_or_within_bounds(double seconds, bool accepted) =>
        Assert.Equal(
            accepted,
            Configured
                .Problems<AlarmsOptions>(
                    AlarmsOptions.Section,
                    (nameof(AlarmsOptions.DigestInterval), TimeSpan.FromSeconds(seconds).ToString())
                )
                .Count == 0
        );

    [Theory]
    [InlineData("ClearedRetention", "00:00:00")]
    [InlineData("DigestRetention", "00:00:00")]
    [InlineData("DigestQueueTtl", "00:00:00")]
    [InlineData("PrefetchCount", "0")]
    public void Options_that_would_lose_data_or_stop_the_work_are_invalid(string name, string value) =>
        Assert.StartsWith(
            $"Alarms:{name} is '{value}'",
            Assert.Single(Configured.Problems<AlarmsOptions>(AlarmsOptions.Section, (name, value)))
        );
}
