using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Objects;

/// <summary>Commands about the status of objects.</summary>
internal sealed class ObjectStatusCommands : FeatureCommands
{
    public override string Title => "Object status";

    public override IEnumerable<Command> Create(Terminal terminal) =>
        [
            new SagasCommand("objects", "List objects that are online, and post ids to the callback.")
            {
                ListObjects.Create(terminal),
                PostObjects.Create(terminal),
            },
        ];
}
