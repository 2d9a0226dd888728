using System.Text.Json;
using Sagas.Cli.CommandLine;

namespace Sagas.IntegrationTests.CommandLine;

public sealed class DemoTests
{
    [PrivateServersFact]
    public Task The_demo_completes_a_payment_that_came_before_its_customer() => PlayAsync("demo", "--once", "--json");

    [PrivateServersFact]
    public Task The_demo_completes_a_payment_without_a_broker_too() => PlayAsync("demo", "--once", "--json", "--in-memory");

    private static async Task PlayAsync(params string[] args)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();

        var exitCode = await CommandRun.RunAsync(
            Sagas.Cli.Program.Commands,
            args,
            new Terminal(output, error),
            CancellationToken.None
        );

        Assert.True(exitCode == 0, error.ToString());
        var report = JsonDocument.Parse(output.ToString()).RootElement;
        Assert.True(report.GetProperty("attemptsBefore").GetInt32() >= 2);
        Assert.Equal("Completed", report.GetProperty("payment").GetProperty("state").GetString());
        Assert.Equal(2, report.GetProperty("customer").GetProperty("syncedVersion").GetInt32());
        Assert.Equal(args.Contains("--in-memory"), report.GetProperty("rabbitMq").ValueKind == JsonValueKind.Null);
        Assert.Contains("Everything is stopped", error.ToString());
    }
}
