using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Operations;

/// <summary>Commands that show and steer the whole system.</summary>
internal sealed class OperationsCommands : FeatureCommands
{
    public override string Title => "Operations";

    public override IEnumerable<Command> Create(Terminal terminal) =>
        [
            ListStuck.Create(terminal),
            new SagasCommand("targets", "List third parties, and pause and resume the calls to one.")
            {
                ListTargets.Create(terminal),
                ChangeTarget.Pause(terminal),
                ChangeTarget.Resume(terminal),
            },
            ListAudit.Create(terminal),
            new SagasCommand("keys", "Make access keys to the dashboard and the API.") { CreateKey.Create(terminal) },
        ];
}
