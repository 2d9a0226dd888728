using Sagas.UnitTests.CommandLine;

namespace Sagas.UnitTests.Alarms;

/// <summary>What the command line rejects before it connects to a server, and with which message.</summary>
public sealed class AlarmCommandTests
{
    [Theory]
    [InlineData("alarms publish ada boiler LOUD", "<status> must be one of CLEARED, WARNING, CRITICAL; 'LOUD' is not")]
    [InlineData("alarms publish ada boiler", "<status> is missing")]
    [InlineData("alarms publish ada boiler CRITICAL --at yesterday", "--at must be a time such as")]
    [InlineData("alarms publish ada boiler CRITICAL --at 9999-12-31T23:59:59Z", "--at must be a time between 1970 and now")]
    [InlineData("alarms publish ada boiler CRITICAL --at 0001-01-01T00:00:00Z", "--at must be a time between 1970 and now")]
    [InlineData("digests send", "<user> is missing")]
    [InlineData("alarms list", "<user> is missing")]
    [InlineData("alarms list ada --status loud", "--status must be one of")]
    [InlineData("digests list ada --watch --json", "--watch and --json exclude each other")]
    public async Task An_invalid_argument_is_rejected_with_the_valid_ones(string typed, string expected)
    {
        var run = await CommandLineRun.OfAsync(typed.Split(' '));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(expected, run.Error);
    }

    [Theory]
    [InlineData("alarms publish ada boiler cleared --at 2021-06-07T20:40:15.598765212Z", "RabbitMQ")]
    [InlineData("digests send ada", "RabbitMQ")]
    [InlineData("alarms list ada", "Postgres")]
    [InlineData("digests list ada --json", "Postgres")]
    public async Task An_unavailable_server_is_named(string typed, string server)
    {
        var run = await CommandLineRun.OfAsync(typed.Split(' '));
        Assert.Equal(3, run.ExitCode);
        Assert.Contains($"Cannot connect to {server}", run.Error);
    }
}
