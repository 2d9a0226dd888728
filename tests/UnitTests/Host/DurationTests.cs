using Sagas.Configuration;

namespace Sagas.UnitTests.Host;

public sealed class DurationTests
{
    [Theory]
    [InlineData("00:00:00", "0s")]
    [InlineData("00:00:00.010", "10ms")]
    [InlineData("00:00:00.0000005", "0.0000005s")]
    [InlineData("00:01:30.5", "1m30.5s")]
    [InlineData("1.12:00:00", "1d12h")]
    [InlineData("36600.00:00:00", "36600d")]
    public void A_duration_is_written_with_units_and_read_as_the_same(string text, string written)
    {
        var duration = TimeSpan.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

        Assert.Equal(written, Duration.Format(duration));
        Assert.True(Duration.TryParse(written, out var read));
        Assert.Equal(duration, read);
        Assert.True(Duration.TryParse(text, out read));
        Assert.Equal(duration, read);
    }
}
