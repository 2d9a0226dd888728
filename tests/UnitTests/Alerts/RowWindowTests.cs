using Microsoft.Extensions.Time.Testing;
using Sagas.Services.Alerts;

namespace Sagas.UnitTests.Alerts;

/// <summary>How much of a file is entered ahead of its delivery.</summary>
public sealed class RowWindowTests
{
    private readonly FakeTimeProvider _timeProvider = new();

    [Theory]
    [InlineData(100)]
    [InlineData(2000)]
    public void About_two_seconds_of_deliveries_are_entered_ahead(int perSecond)
    {
        var window = new RowWindow(10_000, 50_000, _timeProvider);
        var open = 0;
        for (var step = 0; step < 400; step++)
        {
            _timeProvider.Advance(TimeSpan.FromMilliseconds(50));
            open = Math.Max(0, open - (perSecond / 20));
            var room = window.Room(new OpenRows(open, open));
            window.Entered(room);
            open += room;
        }

        Assert.InRange(open, perSecond, perSecond * 3);
    }

    [Fact]
    public void While_nothing_is_delivered_little_more_is_entered()
    {
        var window = new RowWindow(10_000, 50_000, _timeProvider);
        var open = 0;
        for (var step = 0; step < 1000; step++)
        {
            _timeProvider.Advance(TimeSpan.FromMilliseconds(50));
            var room = window.Room(new OpenRows(open, open));
            window.Entered(room);
            open += room;
        }

        Assert.InRange(open, 1, 200);
    }

    [Fact]
    public void Rows_that_wait_for_another_attempt_count_towards_the_second_limit()
    {
        var window = new RowWindow(100, 300, _timeProvider);

        Assert.Equal(0, window.Room(new OpenRows(0, 300)));
    }
}
