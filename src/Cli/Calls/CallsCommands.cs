using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Calls;

/// <summary>Commands about calls to third parties.</summary>
internal sealed class CallsCommands : FeatureCommands
{
    public override string Title => "Outbound calls";

    public override IEnumerable<Command> Create(Terminal terminal) =>
        [
            new SagasCommand("calls", "List and retry calls to third parties.")
            {
                ListCalls.Create(terminal),
                RetryCall.Create(terminal),
            },
        ];
}
