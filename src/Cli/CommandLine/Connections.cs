using System.CommandLine;
using System.Globalization;
using Npgsql;

namespace Sagas.Cli.CommandLine;

/// <summary>
/// The addresses of the servers: an option's, else the environment's as the services read it, else docker-compose's, with the
/// ports and passwords of its <c>.env</c>.
/// </summary>
internal static class Connections
{
    /// <summary>Environment variable of the database, the same as the services read.</summary>
    public const string PostgresVariable = "ConnectionStrings__Postgres";

    /// <summary>Environment variable of the broker, the same as the services read.</summary>
    public const string RabbitMqVariable = "RabbitMq__Uri";

    /// <summary>Environment variable of the callback's address.</summary>
    public const string CallbackVariable = "ObjectStatus__CallbackUrl";

    private const string CallbackKeyVariable = "ObjectStatus__ApiKey";
    private const string User = "sagas";
    private const string DevelopmentPassword = "sagas-development";

    /// <summary>The database's connection string.</summary>
    /// <exception cref="CommandException">docker-compose's port is not a port.</exception>
    public static string Postgres(ParseResult parse, Terminal terminal) =>
        parse.GetValue<string?>(CommandOptions.PostgresName)
        ?? Variable(terminal, PostgresVariable)
        ?? new NpgsqlConnectionStringBuilder
        {
            Host = "localhost",
            Port = Port(terminal, "POSTGRES_PORT", 5432),
            Database = "sagas",
            Username = User,
            Password = Variable(terminal, "POSTGRES_PASSWORD") ?? DevelopmentPassword,
        }.ConnectionString;

    /// <summary>The broker's address.</summary>
    /// <exception cref="CommandException">The environment variable or docker-compose's port is not valid.</exception>
    public static Uri RabbitMq(ParseResult parse, Terminal terminal)
    {
        if ((parse.GetValue<string?>(CommandOptions.RabbitMqName) ?? Variable(terminal, RabbitMqVariable)) is not { } text)
        {
            var password = Uri.EscapeDataString(Variable(terminal, "RABBITMQ_PASSWORD") ?? DevelopmentPassword);
            return new Uri($"amqp://{User}:{password}@localhost:{Port(terminal, "RABBITMQ_PORT", 5672)}/");
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps"
            ? uri
            : throw new CommandException(
                ExitCode.Usage,
                $"{RabbitMqVariable} must be an address such as amqp://user:password@localhost:5672/."
            );
    }

    /// <summary>The callback's address, unless an option gives it.</summary>
    /// <exception cref="CommandException">docker-compose's port is not a port.</exception>
    public static string Callback(Terminal terminal) =>
        Variable(terminal, CallbackVariable) ?? $"http://localhost:{Port(terminal, "CALLBACK_PORT", 9090)}/callback";

    /// <summary>The callback's API key; null: none.</summary>
    public static string? CallbackKey(Terminal terminal) =>
        Variable(terminal, CallbackKeyVariable) ?? Variable(terminal, "CALLBACK_API_KEY");

    /// <summary>What to do about a server that is unavailable.</summary>
    /// <param name="server">What it is.</param>
    /// <param name="option">The option with its address.</param>
    /// <param name="variable">The environment variable with its address.</param>
    public static string WhenUnavailable(string server, string option, string variable) =>
        $"""
            Start it with `docker-compose up -d`, or run everything without Docker: `./sagas demo`.
            If the demo runs, use the addresses that it prints.
            To use another {server}, set {option} or the environment variable {variable}.
            """;

    /// <summary>What to do about a server that rejects the login.</summary>
    /// <param name="option">The option with its address.</param>
    /// <param name="variable">The environment variable with its address.</param>
    /// <param name="password">The variable with docker-compose's password.</param>
    public static string WhenLoginFails(string option, string variable, string password) =>
        $"Correct the login: it is that of {option}, of the environment variable {variable}, or {password} of .env.";

    private static int Port(Terminal terminal, string name, int standard) =>
        Variable(terminal, name) switch
        {
            null => standard,
            var text
                when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                    && port is > 0 and <= ushort.MaxValue => port,
            var text => throw new CommandException(
                ExitCode.Usage,
                $"{name} must be a port from 1 to 65535; '{Format.Clean(text)}' is not."
            ),
        };

    private static string? Variable(Terminal terminal, string name) =>
        terminal.Environment(name) is { Length: > 0 } value ? value : null;
}
