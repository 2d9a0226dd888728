using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using Sagas.OutboundCalls;

namespace Sagas.UnitTests.OutboundCalls;

public sealed class RetryAfterTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData("17", 17)]
    [InlineData("0", 0)]
    [InlineData("86400", 600)]
    [InlineData("9999999999", 600)]
    [InlineData("99999999999999999999999", 600)]
    [InlineData("-5", null)]
    [InlineData("soon", null)]
    public void Seconds_are_obeyed_up_to_the_maximum(string? header, int? seconds) =>
        Assert.Equal(seconds, Read(header, date: null));

    [Theory]
    [InlineData(30, 30)]
    [InlineData(-30, 0)]
    [InlineData(100_000, 600)]
    public void A_date_is_obeyed_up_to_the_maximum(int fromNow, int seconds) =>
        Assert.Equal(seconds, Read(Date(new FakeTimeProvider().GetUtcNow().AddSeconds(fromNow)), date: null));

    [Fact]
    public void A_date_is_measured_by_the_clock_of_the_server_that_named_it()
    {
        var theirs = new FakeTimeProvider().GetUtcNow().AddHours(-5);

        Assert.Equal(20, Read(Date(theirs.AddSeconds(20)), Date(theirs)));
    }

    private static string Date(DateTimeOffset time) => time.ToString("r", CultureInfo.InvariantCulture);

    private static int? Read(string? retryAfter, string? date)
    {
        using var response = new HttpResponseMessage();
        if (retryAfter is not null)
            response.Headers.TryAddWithoutValidation("Retry-After", retryAfter);
        if (date is not null)
            response.Headers.TryAddWithoutValidation("Date", date);
        return (int?)RetryAfter.Read(response.Headers, TimeSpan.FromMinutes(10), new FakeTimeProvider())?.TotalSeconds;
    }
}
