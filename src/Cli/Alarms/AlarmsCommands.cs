using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Alarms;

/// <summary>Commands about alarms and their digests.</summary>
internal sealed class AlarmsCommands : FeatureCommands
{
    public override string Title => "Alarms and digests";

    public override IEnumerable<Command> Create(Terminal terminal) =>
        [
            new SagasCommand("alarms", "List and publish alarms.") { ListAlarms.Create(terminal), PublishAlarm.Create(terminal) },
            new SagasCommand("digests", "List and send digests of alarms.")
            {
                ListDigests.Create(terminal),
                SendDigest.Create(terminal),
            },
        ];
}
