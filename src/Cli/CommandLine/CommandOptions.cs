using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using Sagas.Services.Messages;

namespace Sagas.Cli.CommandLine;

/// <summary>Options and arguments that more than one command has, and what they accept.</summary>
internal static class CommandOptions
{
    /// <summary>The largest number of messages that one command publishes.</summary>
    public const int MaxCount = 1_000_000;

    /// <summary>Name of <see cref="Json"/>.</summary>
    public const string JsonName = "--json";

    /// <summary>Name of <see cref="Postgres"/>.</summary>
    public const string PostgresName = "--postgres";

    /// <summary>Name of <see cref="RabbitMq"/>.</summary>
    public const string RabbitMqName = "--rabbitmq";

    /// <summary>Answer for programs.</summary>
    public static Option<bool> Json() =>
        new(JsonName)
        {
            Description = "Write one JSON value to standard output, and everything else to standard error.",
            Recursive = true,
        };

    /// <summary>Help with examples.</summary>
    /// <param name="terminal">Its width is the width of the help.</param>
    /// <param name="features">The features by which the program's help groups its commands; empty: it is not grouped.</param>
    public static Option Help(Terminal terminal, IReadOnlyList<FeatureCommands> features) =>
        new HelpOption("--help", "-h")
        {
            Action = new HelpWithExamples(new HelpAction { MaxWidth = Math.Min(terminal.Width, 110) }, features, terminal),
        };

    /// <summary>Which build this is.</summary>
    public static Option Version() =>
        new Option<bool>("--version") { Description = "Show the version of the program.", Action = new VersionAction() };

    /// <summary>The database.</summary>
    public static Option<string?> Postgres() =>
        new(PostgresName)
        {
            Description =
                $"Npgsql connection string. Default: {Connections.PostgresVariable}, else docker-compose's server "
                + "(POSTGRES_PASSWORD, POSTGRES_PORT in .env).",
            HelpName = "connection string",
        };

    /// <summary>The broker.</summary>
    public static Option<string?> RabbitMq() =>
        new(RabbitMqName)
        {
            Description =
                $"amqp:// or amqps:// address. Default: {Connections.RabbitMqVariable}, else docker-compose's server "
                + "(RABBITMQ_PASSWORD, RABBITMQ_PORT in .env).",
            HelpName = "uri",
            Validators =
            {
                result =>
                {
                    var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
                    if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("amqp" or "amqps"))
                        result.AddError("--rabbitmq must be an address such as amqp://user:password@localhost:5672/.");
                },
            },
        };

    /// <summary>The files that were named.</summary>
    /// <param name="parse">What was typed.</param>
    /// <param name="files">The argument.</param>
    /// <exception cref="CommandException">One of them does not exist, or is a folder.</exception>
    public static string[] ExistingFiles(ParseResult parse, Argument<string[]> files)
    {
        var paths = parse.GetRequiredValue(files);
        if (paths.FirstOrDefault(path => !File.Exists(path)) is not { } missing)
            return Array.ConvertAll(paths, Target);
        throw Directory.Exists(missing)
            ? new CommandException(
                ExitCode.Usage,
                $"{missing} is a folder. Name the files in it, such as {Path.Combine(missing, "*.csv")}."
            )
            : new CommandException(ExitCode.NotFound, $"The file {missing} does not exist.");
    }

    // Reading does not follow links; who names one means the file.
    private static string Target(string path) =>
        File.ResolveLinkTarget(path, returnFinalTarget: true) is { Exists: true } target ? target.FullName : path;

    /// <summary>Creates an argument that is an identifier.</summary>
    /// <param name="name">Shown in angle brackets.</param>
    /// <param name="description">What it identifies.</param>
    public static Argument<string> IdArgument(string name, string description) =>
        new(name) { Description = description, CustomParser = result => Id(result, $"<{name}>") };

    /// <summary>Creates an option that is an identifier.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">What it identifies.</param>
    public static Option<string?> IdOption(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "id",
            CustomParser = result => Id(result, name),
        };

    /// <summary>Creates an option that is a short text.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">What it says.</param>
    public static Option<string?> TextOption(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = name.TrimStart('-'),
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value.Trim();
                if (text.Length == 0 || TextRules.LineProblem(text) is not null)
                    result.AddError($"{name} must be 1 to {TextRules.MaxLineLength} characters without control characters.");
                return text;
            },
        };

    /// <summary>Creates an option that is a whole number.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">What it counts.</param>
    /// <param name="defaultValue">When it is absent.</param>
    /// <param name="max">The largest that is accepted.</param>
    public static Option<int> NumberOption(string name, string description, int defaultValue, int max) =>
        new(name)
        {
            Description = description,
            HelpName = "number",
            DefaultValueFactory = _ => defaultValue,
            CustomParser = result =>
            {
                var styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowThousands;
                if (
                    !int.TryParse(result.Tokens[0].Value, styles, CultureInfo.InvariantCulture, out var number)
                    || number < 1
                    || number > max
                )
                    result.AddError(
                        string.Create(CultureInfo.InvariantCulture, $"{name} must be a whole number from 1 to {max:N0}.")
                    );
                return number;
            },
        };

    /// <summary>Creates an option that is one of a few words, in any case.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">What it chooses.</param>
    /// <param name="words">The words, as they are returned.</param>
    public static Option<string?> WordOption(string name, string description, params string[] words) =>
        new(name)
        {
            Description = $"{description}: {string.Join(", ", words)}.",
            HelpName = name.TrimStart('-'),
            CompletionSources = { _ => words.Select(word => new CompletionItem(word)) },
            CustomParser = result => Word(result, name, words),
        };

    /// <summary>Creates an argument that is one of a few words, in any case.</summary>
    /// <param name="name">Shown in angle brackets.</param>
    /// <param name="description">What it chooses.</param>
    /// <param name="words">The words, as they are returned.</param>
    public static Argument<string> WordArgument(string name, string description, params string[] words) =>
        new(name)
        {
            Description = $"{description}: {string.Join(", ", words)}.",
            CompletionSources = { _ => words.Select(word => new CompletionItem(word)) },
            CustomParser = result => Word(result, $"<{name}>", words),
        };

    private static string? Word(ArgumentResult result, string name, string[] words)
    {
        var given = result.Tokens[0].Value;
        var match = Array.Find(words, word => word.Equals(given, StringComparison.OrdinalIgnoreCase));
        if (match is null)
            result.AddError($"{name} must be one of {string.Join(", ", words)}; '{given}' is not.");
        return match;
    }

    private static string Id(ArgumentResult result, string name)
    {
        var id = result.Tokens[0].Value.Trim();
        if (Identifiers.Problem(id) is not null)
            result.AddError($"{name} must be 1 to {Identifiers.MaxLength} characters without control characters.");
        return id;
    }
}
