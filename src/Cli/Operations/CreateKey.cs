using System.CommandLine;
using System.Security.Cryptography;
using Sagas.Cli.CommandLine;
using Sagas.Services.Operations.Access;

namespace Sagas.Cli.Operations;

/// <summary><c>sagas keys create</c>.</summary>
internal static class CreateKey
{
    private const int KeyBytes = 24;

    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "Whose key it is; the audit shows it." };
        var role = CommandOptions.WordOption(
            "--role",
            "viewer looks (the default), operator changes things too, admin may do everything",
            [.. Enum.GetNames<AccessRole>().Select(one => one.ToLowerInvariant())]
        );
        var command = new SagasCommand(
            "create",
            "Make an access key: give the key to its owner, and its entry to the services in Operations__Keys.",
            "sagas keys create anna --role operator"
        )
        {
            name,
            role,
        };
        command.SetAction(
            async (parse, _) =>
            {
                var key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes));
                var entry = AccessKey.Format(parse.GetRequiredValue(name), Role(parse.GetValue(role)), key);
                if (!AccessKey.TryParse(entry, out var _, out var problem))
                    throw new CommandException(ExitCode.Usage, $"The key's entry {problem}.");
                if (parse.GetValue<bool>(CommandOptions.JsonName))
                    terminal.WriteJson(new { key, entry });
                else
                    await terminal.Output.WriteLineAsync(
                        $"Key, for its owner only: {key}\nEntry for Operations__Keys (several are separated by commas): {entry}"
                    );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static AccessRole Role(string? word) =>
        word is null ? AccessRole.Viewer : Enum.Parse<AccessRole>(word, ignoreCase: true);
}
