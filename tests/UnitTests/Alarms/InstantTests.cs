using System.Text.Json;
using Sagas.Contracts;

namespace Sagas.UnitTests.Alarms;

public sealed class InstantTests
{
    [Theory]
    [InlineData("2021-06-07T20:40:15.598765212Z", "2021-06-07T20:40:15.598765212Z")]
    [InlineData("2021-06-07T20:40:15Z", "2021-06-07T20:40:15Z")]
    [InlineData("2021-06-07T20:40:15.5Z", "2021-06-07T20:40:15.5Z")]
    [InlineData("2021-06-07T20:40:15.500Z", "2021-06-07T20:40:15.500Z")]
    [InlineData("2021-06-07T20:40:15.000000000Z", "2021-06-07T20:40:15.000000000Z")]
    [InlineData("2021-06-07T22:40:15.598765212+02:00", "2021-06-07T20:40:15.598765212Z")]
    [InlineData("2021-06-07T20:40:15.598765212-0330", "2021-06-08T00:10:15.598765212Z")]
    [InlineData("2021-06-07T22:40:15+02", "2021-06-07T20:40:15Z")]
    [InlineData("2021-01-01T00:30:00+01:00", "2020-12-31T23:30:00Z")]
    [InlineData("2021-06-07t20:40:15.5z", "2021-06-07T20:40:15.5Z")]
    [InlineData("2021-06-07 20:40:15,5", "2021-06-07T20:40:15.5Z")]
    [InlineData("2021-06-07T20:40Z", "2021-06-07T20:40:00Z")]
    [InlineData("2021-06-07", "2021-06-07T00:00:00Z")]
    [InlineData("2021/06/07 20:40", "2021-06-07T20:40:00Z")]
    [InlineData("2021-06-07 20:40:15 +0200", "2021-06-07T18:40:15Z")]
    [InlineData("2021-06-07 20:40:15 UTC", "2021-06-07T20:40:15Z")]
    [InlineData("2021-06-07T20:40:15.5987652129999Z", "2021-06-07T20:40:15.598765212Z")]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z")]
    [InlineData("2017-01-01T00:59:60.25+01:00", "2017-01-01T00:00:00.25Z")]
    [InlineData("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z")]
    [InlineData("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z")]
    public void A_time_is_written_in_UTC_with_the_decimals_that_it_was_read_with(string text, string expected) =>
        Assert.Equal(expected, Instant.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("2021-06-07Z")]
    [InlineData("2021-06/07")]
    [InlineData("07/06/2021")]
    [InlineData("2021-06-07T")]
    [InlineData("2021-06-07  20:40")]
    [InlineData("2021-6-7T20:40:15Z")]
    [InlineData("2021-13-07T20:40:15Z")]
    [InlineData("2021-02-29T20:40:15Z")]
    [InlineData("2021-06-07T24:00:00Z")]
    [InlineData("2021-06-07T20:60:15Z")]
    [InlineData("2021-06-07T20:40:61Z")]
    [InlineData("2021-06-07T20:40:60Z")]
    [InlineData("2021-06-07T20:40:15.Z")]
    [InlineData("2021-06-07T20:40:15+19:00")]
    [InlineData("2021-06-07T20:40:15+02:60")]
    [InlineData("2021-06-07T20:40:15+02:")]
    [InlineData("2021-06-07T20:40:15Zulu")]
    [InlineData("0000-01-01T00:00:00Z")]
    [InlineData("0001-01-01T00:00:00+01:00")]
    [InlineData("9999-12-31T23:59:60Z")]
    [InlineData("９９９９-12-31T23:59:59Z")]
    [InlineData("1623098415")]
    public void An_invalid_time_is_not_parsed(string text) => Assert.False(Instant.TryParse(text, null, out _));

    [Fact]
    public void Nanoseconds_affect_the_order_and_trailing_zeros_do_not()
    {
        Assert.True(Instant.Parse("2021-06-07T20:40:15.598765212Z") < Instant.Parse("2021-06-07T20:40:15.598765213Z"));
        Assert.True(Instant.Parse("2021-06-07T20:40:15.6Z") > Instant.Parse("2021-06-07T20:40:15.599999999Z"));
        Assert.True(Instant.Parse("2021-06-07T20:40:15.5Z") == Instant.Parse("2021-06-07T22:40:15.500000000+02:00"));
        Assert.Equal(
            Instant.Parse("2021-06-07T20:40:15.5Z").GetHashCode(),
            Instant.Parse("2021-06-07T20:40:15.500Z").GetHashCode()
        );
    }

    [Fact]
    public void A_DateTimeOffset_converts_implicitly_and_back_truncated_to_ticks()
    {
        var time = new DateTimeOffset(2021, 6, 7, 22, 40, 15, 120, TimeSpan.FromHours(2)).AddTicks(3);
        Instant instant = time;
        Assert.Equal("2021-06-07T20:40:15.1200003Z", instant.ToString());
        Assert.Equal(time, instant.ToDateTimeOffset());
        Assert.Equal(time, Instant.Parse("2021-06-07T20:40:15.120000399Z").ToDateTimeOffset());
        Instant before = DateTimeOffset.UnixEpoch.AddTicks(-1);
        Assert.Equal("1969-12-31T23:59:59.9999999Z", before.ToString());
        Assert.Equal("1970-01-01T00:00:00Z", default(Instant).ToString());
    }

    [Fact]
    public void It_is_a_string_in_JSON()
    {
        var json = JsonSerializer.Serialize(new ActiveAlarm("a", "WARNING", Instant.Parse("2021-06-07T20:40:15.598765212Z")));
        Assert.Equal("""{"AlarmID":"a","Status":"WARNING","LatestChangedAt":"2021-06-07T20:40:15.598765212Z"}""", json);
        Assert.Equal("2021-06-07T20:40:15.598765212Z", JsonSerializer.Deserialize<ActiveAlarm>(json).LatestChangedAt.ToString());
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Instant>("1623098415"));
    }

    [Fact]
    public void Values_out_of_range_are_rejected()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Instant.FromUnixTime(0, 1_000_000_000));
        Assert.Throws<ArgumentOutOfRangeException>(() => Instant.FromUnixTime(0, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Instant.FromUnixTime(0, 0, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => Instant.FromUnixTime(long.MaxValue));
        Assert.Throws<FormatException>(() => Instant.Parse("soon"));
    }
}
