using System.Text.Json;
using Sagas.Cli.CommandLine;

namespace Sagas.UnitTests.CommandLine;

/// <summary>The result of one command line.</summary>
internal sealed record CommandLineRun(int ExitCode, string Output, string Error)
{
    // Nothing listens on port 1 of loopback, so connections fail at once.
    private static readonly Dictionary<string, string> _nowhere = new()
    {
        ["ConnectionStrings__Postgres"] = "Host=127.0.0.1;Port=1;Database=sagas;Username=sagas;Password=hidden-secret",
        ["RabbitMq__Uri"] = "amqp://sagas:hidden-secret@127.0.0.1:1/",
    };

    /// <summary>Standard output as JSON.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>Runs a command line where no server is available.</summary>
    public static Task<CommandLineRun> OfAsync(params string[] args) => InAsync(_nowhere, args);

    /// <summary>Runs a command line that finds these environment variables and no others.</summary>
    public static async Task<CommandLineRun> InAsync(IReadOnlyDictionary<string, string> environment, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var terminal = new Terminal(output, error, width: 80) { Environment = environment.GetValueOrDefault };
        var exitCode = await CommandRun.RunAsync(Sagas.Cli.Program.Commands, args, terminal, CancellationToken.None);
        return new CommandLineRun(exitCode, output.ToString(), error.ToString());
    }
}
