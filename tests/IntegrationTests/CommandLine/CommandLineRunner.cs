using System.Text.Json;
using Sagas.Cli.CommandLine;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>The command line with one database and one broker.</summary>
internal sealed class CommandLineRunner(string postgres, Uri rabbitMq)
{
    private readonly Dictionary<string, string> _environment = new()
    {
        ["ConnectionStrings__Postgres"] = $"{postgres};Timeout=60",
        ["RabbitMq__Uri"] = rabbitMq.ToString(),
    };

    /// <summary>Runs a command line.</summary>
    public Task<CommandLineRun> RunAsync(params string[] args) => RunAsync(new StringWriter(), args, CancellationToken.None);

    /// <summary>Runs a command line until it has written something, and then stops it as Ctrl-C does.</summary>
    public async Task<CommandLineRun> StopOnOutputAsync(params string[] args)
    {
        using var ctrlC = new CancellationTokenSource(Eventually.Timeout);
        await using var output = new SignallingWriter(ctrlC.Cancel);
        return await RunAsync(output, args, ctrlC.Token);
    }

    private async Task<CommandLineRun> RunAsync(StringWriter output, string[] args, CancellationToken cancellationToken)
    {
        using var error = new StringWriter();
        var terminal = new Terminal(output, error, width: 160) { Environment = _environment.GetValueOrDefault };
        var exitCode = await CommandRun.RunAsync(Sagas.Cli.Program.Commands, args, terminal, cancellationToken);
        return new CommandLineRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Runs a command line with <c>--json</c>, which must succeed.</summary>
    public async Task<JsonElement> JsonAsync(params string[] args)
    {
        var run = await RunAsync([.. args, "--json"]);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', args)}: {run.ExitCode} {run.Error}");
        return JsonDocument.Parse(run.Output).RootElement;
    }

    /// <summary>Runs a command line with <c>--json</c> until its output matches.</summary>
    public async Task<JsonElement> JsonWhenAsync(Predicate<JsonElement> condition, params string[] args)
    {
        var run = await Eventually.MatchesAsync(
            $"the answer to 'sagas {string.Join(' ', args)}'",
            () => RunAsync([.. args, "--json"]),
            run => run.ExitCode == 0 && condition(JsonDocument.Parse(run.Output).RootElement)
        );
        return JsonDocument.Parse(run.Output).RootElement;
    }

    /// <summary>Runs a command line with <c>--json</c> until it succeeds: a message that was just listed is invisible for a
    /// moment.</summary>
    public Task<JsonElement> JsonOnceDoneAsync(params string[] args) => JsonWhenAsync(_ => true, args);
}

/// <summary>Completes a task when the first line is written.</summary>
internal sealed class SignallingWriter(Action written) : StringWriter
{
    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        written();
    }
}

/// <summary>The result of one command line.</summary>
internal sealed record CommandLineRun(int ExitCode, string Output, string Error);
