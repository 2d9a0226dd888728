using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Messages;

/// <summary>Options and errors of the commands about dead letters.</summary>
internal static class DeadLetterOptions
{
    /// <summary>Error queues besides those of the services.</summary>
    public static Option<string[]> Queues() =>
        new("--queue")
        {
            Description =
                "Include the error queue of this queue; can be repeated. "
                + "The error queues of the services are always included.",
            HelpName = "name",
            Validators =
            {
                result =>
                {
                    if (result.Tokens.Any(token => token.Value.Length is 0 or > 255))
                        result.AddError("--queue must be the name of a queue, 1 to 255 characters.");
                },
            },
        };

    /// <summary>No error queue holds a message.</summary>
    public static CommandException NotFound(string messageId) =>
        new(
            ExitCode.NotFound,
            $"No error queue holds message {messageId}. `sagas deadletters list` lists the dead letters; one that another "
                + "command looks at is missing for a moment."
        );
}
