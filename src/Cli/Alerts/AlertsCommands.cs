using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Alerts;

/// <summary>Commands about alerts.</summary>
internal sealed class AlertsCommands : FeatureCommands
{
    public override string Title => "Alerts";

    public override IEnumerable<Command> Create(Terminal terminal) =>
        [
            new SagasCommand("alerts", "List, send and retry alerts; their files are among `sagas files`.")
            {
                ListAlerts.Create(terminal),
                SendAlertCommand.Create(terminal),
                RetryAlerts.Create(terminal),
            },
        ];
}
