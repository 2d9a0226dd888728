using System.CommandLine;

namespace Sagas.Harness.CommandLine;

/// <summary>Where the servers are: the option, else the environment, else the development servers.</summary>
internal static class Connections
{
    /// <summary>Environment variable of the database, the same as the services read.</summary>
    public const string PostgresVariable = "ConnectionStrings__Postgres";

    /// <summary>Environment variable of the broker, the same as the services read.</summary>
    public const string RabbitMqVariable = "RabbitMq__Uri";

    private const string DevelopmentPostgres =
        "Host=localhost;Port=5432;Database=sagas;Username=sagas;Password=sagas-development";

    private const string DevelopmentRabbitMq = "amqp://sagas:sagas-development@localhost:5672/";

    /// <summary>The database's connection string.</summary>
    public static string Postgres(ParseResult parse, Terminal terminal) =>
        parse.GetValue<string?>(CommandOptions.PostgresName) ?? Variable(terminal, PostgresVariable) ?? DevelopmentPostgres;

    /// <summary>The broker's address.</summary>
    /// <exception cref="CommandException">The environment variable is no address.</exception>
    public static Uri RabbitMq(ParseResult parse, Terminal terminal)
    {
        var text = parse.GetValue<string?>(CommandOptions.RabbitMqName) ?? Variable(terminal, RabbitMqVariable) ?? DevelopmentRabbitMq;
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps"
            ? uri
            : throw new CommandException(ExitCode.Usage, $"{RabbitMqVariable} is not an amqp:// or amqps:// address.");
    }

    private static string? Variable(Terminal terminal, string name) =>
        terminal.Environment(name) is { Length: > 0 } value ? value : null;
}
