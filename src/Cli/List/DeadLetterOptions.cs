using System.CommandLine;

namespace Sagas.Cli.List;

/// <summary>Options of what has to do with error queues.</summary>
internal static class DeadLetterOptions
{
    /// <summary>Error queues beside those of the services.</summary>
    public static Option<string[]> Queues() => new("--queue")
    {
        Description = "Look into the error queue of this queue too; may be given more than once. "
            + "The error queues of all services are always looked into.",
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
}
