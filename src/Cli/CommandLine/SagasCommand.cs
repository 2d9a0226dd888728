using System.CommandLine;

namespace Sagas.Cli.CommandLine;

/// <summary>A command whose help ends with examples.</summary>
/// <param name="name">What is typed.</param>
/// <param name="description">What it does: a sentence for lists of commands, then the rest of the help.</param>
/// <param name="examples">Whole command lines, each with what it does behind two spaces and a <c>#</c>.</param>
internal sealed class SagasCommand(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Whole command lines.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>The first sentence of a description.</summary>
    public static string Summary(string? description) => (description ?? "").Split(". ")[0].TrimEnd('.');
}
