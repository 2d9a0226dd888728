using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using Sagas.Services.Ledger;

namespace Sagas.UnitTests.Ledger;

public sealed class RetryDelayTests
{
    private static readonly LedgerOptions _options = new()
    {
        RetryBase = TimeSpan.FromMilliseconds(100),
        RetryCap = TimeSpan.FromSeconds(5),
        RetryAfterCap = TimeSpan.FromMinutes(10),
    };

    [Theory]
    [InlineData(1, 1.0, 100)]
    [InlineData(1, 0.25, 25)]
    [InlineData(2, 1.0, 200)]
    [InlineData(5, 1.0, 1600)]
    [InlineData(7, 1.0, 5000)]
    [InlineData(100, 0.5, 2500)]
    [InlineData(int.MaxValue, 1.0, 5000)]
    [InlineData(3, 0.0, 0)]
    public void The_bound_doubles_up_to_the_cap_and_the_delay_is_anywhere_below_it(int attempts, double random, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), RetryDelay.Backoff(_options, attempts, random));

    [Theory]
    [InlineData(null, null)]
    [InlineData("17", 17)]
    [InlineData("0", 0)]
    [InlineData("86400", 600)]
    [InlineData("soon", null)]
    public void Seconds_are_obeyed_up_to_the_cap(string? header, int? seconds) => Assert.Equal(seconds, Asked(header, date: null));

    [Theory]
    [InlineData(30, 30)]
    [InlineData(-30, 0)]
    [InlineData(100_000, 600)]
    public void A_date_is_obeyed_up_to_the_cap(int fromNow, int seconds) =>
        Assert.Equal(seconds, Asked(Date(new FakeTimeProvider().GetUtcNow().AddSeconds(fromNow)), date: null));

    [Fact]
    public void A_date_is_measured_by_the_clock_of_the_server_that_named_it()
    {
        var theirs = new FakeTimeProvider().GetUtcNow().AddHours(-5);

        Assert.Equal(20, Asked(Date(theirs.AddSeconds(20)), Date(theirs)));
    }

    private static string Date(DateTimeOffset time) => time.ToString("r", CultureInfo.InvariantCulture);

    private static int? Asked(string? retryAfter, string? date)
    {
        using var response = new HttpResponseMessage();
        if (retryAfter is not null)
            response.Headers.TryAddWithoutValidation("Retry-After", retryAfter);
        if (date is not null)
            response.Headers.TryAddWithoutValidation("Date", date);
        return (int?)RetryDelay.Asked(response.Headers, _options, new FakeTimeProvider())?.TotalSeconds;
    }
}
