using Npgsql;
using Sagas.Payments;
using Sagas.Services;
using Sagas.Services.Http;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using Sagas.Services.Operations;

namespace Sagas.Host.Settings;

/// <summary>The configuration of a services process, read and checked once, before anything starts.</summary>
internal sealed record HostSettings
{
    private const string DevelopmentPassword = "sagas-development";
    private const string DefaultPostgres = $"Host=localhost;Port=5432;Database=sagas;Username=sagas;Password={DevelopmentPassword}";
    private const string DefaultRabbitMq = $"amqp://sagas:{DevelopmentPassword}@localhost:5672/";

    public required RoleSet Roles { get; init; }

    /// <summary>Npgsql's connection string.</summary>
    public required string Postgres { get; init; }

    /// <summary>False: the in-memory bus.</summary>
    public required bool UsesRabbitMq { get; init; }

    public required RabbitMqSettings RabbitMq { get; init; }

    public required MessagesOptions Messages { get; init; }

    public required OperationsOptions Operations { get; init; }

    public required RedeliveryOptions Redelivery { get; init; }

    /// <summary>How long what is in flight may take to finish after the signal to stop.</summary>
    public required TimeSpan ShutdownTimeout { get; init; }

    /// <summary>Log lines as JSON objects; otherwise as text.</summary>
    public required bool LogsJson { get; init; }

    /// <summary>The keys whose value is the password that everyone can read in the repository.</summary>
    public required IReadOnlyList<string> KeysWithDevelopmentPassword { get; init; }

    /// <exception cref="SettingsRefusedException">A value cannot be used.</exception>
    public static HostSettings Read(IConfiguration configuration)
    {
        var reader = new SettingsReader(configuration);
        if (!Features.TryParseRoles(reader.Optional("Roles"), out var roles, out var unknown))
            reader.Problem($"Roles names '{unknown}', which is not a role: use any of {Features.AllRoles}, separated by commas, or nothing for all.");
        var postgres = ReadPostgres(reader);
        var rabbitMq = ReadRabbitMq(reader);
        var settings = new HostSettings
        {
            Roles = roles,
            Postgres = postgres,
            UsesRabbitMq = reader.Choice("Bus:Transport", "RabbitMq", "InMemory") == "RabbitMq",
            RabbitMq = rabbitMq,
            Messages = new MessagesOptions
            {
                AllowedClockSkew = reader.Duration("Messages:AllowedClockSkew", TimeSpan.FromMinutes(5), TimeSpan.Zero, TimeSpan.FromDays(1)),
                MaximumBodySize = reader.Number("Messages:MaximumBodySize", 1024 * 1024, 1024, 64 * 1024 * 1024),
            },
            Operations = ReadOperations(reader),
            Redelivery = ReadRedelivery(reader),
            ShutdownTimeout = reader.Duration("ShutdownTimeout", TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)),
            LogsJson = reader.Choice("Logging:Format", "text", "json") == "json",
            KeysWithDevelopmentPassword =
            [
                .. Keys("ConnectionStrings:Postgres", postgres.Contains(DevelopmentPassword, StringComparison.Ordinal)),
                .. Keys("RabbitMq:Uri", rabbitMq.Password == DevelopmentPassword),
            ],
        };
        reader.ThrowIfRefused();
        return settings;
    }

    private static IEnumerable<string> Keys(string key, bool present) => present ? [key] : [];

    // Never the value: it holds the password.
    private static string ReadPostgres(SettingsReader reader)
    {
        const string example =
            "such as Host=localhost;Port=5432;Database=sagas;Username=sagas;Password=… (as an environment variable: ConnectionStrings__Postgres)";
        var value = reader.Text("ConnectionStrings:Postgres", DefaultPostgres);
        try
        {
            var parts = new NpgsqlConnectionStringBuilder(value);
            if (string.IsNullOrEmpty(parts.Host))
                reader.Problem($"ConnectionStrings:Postgres names no Host: use an Npgsql connection string {example}.");
            if (string.IsNullOrEmpty(parts.Database))
                reader.Problem($"ConnectionStrings:Postgres names no Database: use an Npgsql connection string {example}.");
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException)
        {
            reader.Problem($"ConnectionStrings:Postgres cannot be read: use an Npgsql connection string {example}.");
        }
        return value;
    }

    private static RabbitMqSettings ReadRabbitMq(SettingsReader reader)
    {
        var prefetch = reader.Number("RabbitMq:Prefetch", 64, 1, 10_000);
        var heartbeat = reader.Duration("RabbitMq:Heartbeat", TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5));
        if (RabbitMqSettings.TryParse(reader.Text("RabbitMq:Uri", DefaultRabbitMq), (ushort)prefetch, heartbeat, out var settings))
            return settings;
        reader.Problem("RabbitMq:Uri cannot be read: use amqp://user:password@host:5672/vhost, or amqps:// for TLS, "
            + "with %XX for special characters in the password (as an environment variable: RabbitMq__Uri).");
        return settings;
    }

    private static OperationsOptions ReadOperations(SettingsReader reader)
    {
        var key = reader.Optional("Operations:ApiKey");
        if (key is { Length: < ApiKey.Shortest })
            reader.Problem($"Operations:ApiKey is too short to be a secret: use at least {ApiKey.Shortest} characters, "
                + "such as the output of 'openssl rand -hex 24' (as an environment variable: Operations__ApiKey).");
        return new OperationsOptions { ApiKey = key };
    }

    private static RedeliveryOptions ReadRedelivery(SettingsReader reader)
    {
        var shortest = TimeSpan.FromMilliseconds(10);
        var fallback = new RedeliveryOptions();
        return new RedeliveryOptions
        {
            Increment = reader.Duration("Payments:Redelivery:Increment", fallback.Increment, shortest, TimeSpan.FromHours(1)),
            Cap = reader.Duration("Payments:Redelivery:Cap", fallback.Cap, shortest, TimeSpan.FromDays(1)),
            Deadline = reader.Duration("Payments:Redelivery:Deadline", fallback.Deadline, shortest, TimeSpan.FromDays(365)),
        };
    }
}
