using System.CommandLine;

namespace Sagas.Cli.CommandLine;

/// <summary>The commands of one feature, the counterpart of its module: a noun or more, each with its verbs.</summary>
internal abstract class FeatureCommands
{
    /// <summary>The heading over the commands in <c>sagas --help</c>.</summary>
    public abstract string Title { get; }

    /// <summary>The commands, in the order in which help shows them.</summary>
    /// <param name="terminal">Where they write to.</param>
    public abstract IEnumerable<Command> Create(Terminal terminal);
}
