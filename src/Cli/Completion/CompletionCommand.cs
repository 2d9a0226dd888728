using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Completion;

/// <summary><c>sagas completion</c>.</summary>
internal static class CompletionCommand
{
    private static readonly string[] _shells = ["bash", "zsh", "fish"];

    public static Command Create(Terminal terminal)
    {
        var shell = CommandOptions.WordArgument("shell", "The shell", _shells);
        var command = new SagasCommand(
            "completion",
            "Write a script that completes commands and options in a shell. Without a file: `source <(sagas completion "
                + "bash)` in ~/.bashrc, or `source <(sagas completion zsh)` in ~/.zshrc after compinit.",
            "sagas completion bash > ~/.local/share/bash-completion/completions/sagas",
            "sagas completion fish > ~/.config/fish/completions/sagas.fish"
        )
        {
            shell,
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                await terminal.Output.WriteAsync(Script(parse.GetRequiredValue(shell)).AsMemory(), cancellationToken);
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static string Script(string shell)
    {
        using var stream = typeof(CompletionCommand).Assembly.GetManifestResourceStream($"completion.{shell}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
