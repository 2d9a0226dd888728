using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Messages;

/// <summary>Commands about messages of any kind that failed or wait.</summary>
internal sealed class MessagesCommands : FeatureCommands
{
    public override string Title => "Messages";

    public override IEnumerable<Command> Create(Terminal terminal) =>
        [
            new SagasCommand("deadletters", "List, show and retry messages that the services could not consume.")
            {
                ListDeadLetters.Create(terminal),
                ShowDeadLetter.Create(terminal),
                RetryDeadLetter.Create(terminal),
            },
            new SagasCommand("outbox", "List messages that are committed and not published yet.") { ListOutbox.Create(terminal) },
        ];
}
