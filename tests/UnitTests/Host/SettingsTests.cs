using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Configuration;
using Sagas.Host;
using Sagas.Host.Settings;
using Sagas.Payments;
using Sagas.Services;
using Sagas.Services.Alarms;
using Sagas.Services.Operations;
using Sagas.Services.Payments;

namespace Sagas.UnitTests.Host;

public sealed class SettingsTests
{
    [Fact]
    public async Task Without_configuration_a_process_has_all_roles_and_local_servers()
    {
        await using var app = SagasHost.Create(
            [],
            new Dictionary<string, string?> { ["Serilog:MinimumLevel:Default"] = "Fatal" }
        );

        Assert.Same(Features.Product.AllRoles, Options<ProcessOptions>(app).RolesAmong(Features.Product));
        Assert.Equal(TimeSpan.FromSeconds(25), Options<ProcessOptions>(app).ShutdownTimeout);
        Assert.Equal(BusTransport.RabbitMq, Options<BusOptions>(app).Transport);
        Assert.Equal("/", Options<RabbitMqOptions>(app).VirtualHost);
        Assert.True(Options<RabbitMqOptions>(app).HasDevelopmentPassword);
        Assert.True(Options<DatabaseOptions>(app).HasDevelopmentPassword);
    }

    [Fact]
    public async Task An_empty_value_is_not_set()
    {
        await using var app = Create(
            ("Roles", ""),
            ("ShutdownTimeout", ""),
            ("Operations:ApiKey", ""),
            ("Alerts:Limit:PerSecond", "")
        );

        Assert.Same(Features.Product.AllRoles, Options<ProcessOptions>(app).RolesAmong(Features.Product));
        Assert.Null(Options<OperationsOptions>(app).ApiKey);
    }

    [Fact]
    public void Roles_are_a_list()
    {
        var roles = new ProcessOptions { Roles = " sagas , Operations" }.RolesAmong(Features.Product);

        Assert.True(roles.Has(PaymentsModule.SagasRole));
        Assert.True(roles.Has(OperationsModule.OperationsRole));
        Assert.False(roles.Has(PaymentsModule.GatewayRole));
    }

    [Theory]
    [InlineData("amqp://user:p%40ss@broker:5673/my%2Fhost", "broker", 5673, "my/host", "p@ss", false)]
    [InlineData("amqps://user:pw@broker/sagas", "broker", 5671, "sagas", "pw", true)]
    [InlineData("amqp://user:pw@broker", "broker", 5672, "/", "pw", false)]
    public void The_broker_is_set_by_a_URI(string uri, string host, int port, string virtualHost, string password, bool tls)
    {
        var rabbitMq = new RabbitMqOptions { Uri = uri };

        Assert.Equal(
            (host, port, virtualHost, password, tls),
            (rabbitMq.Address.Host, rabbitMq.Address.Port, rabbitMq.VirtualHost, rabbitMq.Password, rabbitMq.UsesTls)
        );
        Assert.DoesNotContain(password, rabbitMq.Address.ToString());
        Assert.DoesNotContain(password, rabbitMq.ToString());
    }

    [Theory]
    [InlineData("Roles", "sagas,crmm", "'crmm'", "payments")]
    [InlineData("Bus:Transport", "Kafka", "'Kafka'", "InMemory")]
    [InlineData("ShutdownTimeout", "soon", "'soon'", "such as 25s")]
    [InlineData("ShutdownTimeout", "00:00:00", "'00:00:00'", "from 1s to 10m")]
    [InlineData("ShutdownTimeout", "24", "'24'", "with the units d, h, m, s and ms")]
    [InlineData("ShutdownTimeout", "24:00:00", "'24:00:00'", "from 1s to 10m")]
    [InlineData("RabbitMq:PrefetchCount", "0", "'0'", "from 1 to 10000, such as 128")]
    [InlineData("RabbitMq:Uri", "localhost:5672", "cannot be read", "amqp://user:password@host:5672/vhost")]
    [InlineData("ConnectionStrings:Postgres", "nonsense", "cannot be read", "Host=localhost")]
    [InlineData("ConnectionStrings:Postgres", "Host=x", "names no Database", "Host=localhost")]
    [InlineData("Logging:Format", "xml", "'xml'", "Json")]
    [InlineData("Messages:MaxClockSkew", "-1", "'-1'", "such as 5m")]
    [InlineData("Payments:Redelivery:BaseDelay", "a second", "'a second'", "such as 1s")]
    [InlineData("Operations:ApiKey", "secret", "too short", "openssl rand")]
    [InlineData(
        "Crm:Mode",
        "Idem",
        "'Idem'",
        "use one of IdempotencyKey, Lookup, AtMostOnce (as an environment variable: Crm__Mode)"
    )]
    [InlineData("Crm:Enabled", "yes", "'yes'", "true or false")]
    [InlineData("Alarms:DigestInterval", "hourly", "'hourly'", "use a duration")]
    [InlineData("Ingest:MaxUploadBytes", "10 GB", "'10 GB'", "use a whole number")]
    [InlineData("Payments:GatewayUrl", "nonsense", "must be", "an absolute http or https address")]
    [InlineData("Payments:Calls:CallTimeout", "a while", "'a while'", "use a duration")]
    public void An_invalid_value_is_reported_with_its_key_and_the_remedy(string key, string value, string what, string remedy)
    {
        var sentence = Assert.Single(Problems((key, value)));

        Assert.StartsWith(key, sentence);
        Assert.Contains(what, sentence);
        Assert.Contains(remedy, sentence);
        Assert.EndsWith(".", sentence);
    }

    [Theory]
    [InlineData("24:00:00", 24 * 3600)]
    [InlineData("36:30:00", (36 * 3600) + (30 * 60))]
    [InlineData("1.00:00:00", 24 * 3600)]
    [InlineData("24h", 24 * 3600)]
    [InlineData("1d12h", 36 * 3600)]
    [InlineData("90s", 90)]
    [InlineData("1.5m", 90)]
    [InlineData("00:00:00.5", 0.5)]
    [InlineData(" 500ms ", 0.5)]
    public async Task A_duration_is_read_as_people_write_it(string text, double seconds)
    {
        await using var app = Create(("Payments:Redelivery:Timeout", text));

        Assert.Equal(TimeSpan.FromSeconds(seconds), Options<RedeliveryOptions>(app).Timeout);
    }

    [Theory]
    [InlineData("24")]
    [InlineData("00:05")]
    [InlineData("1.24:00:00")]
    [InlineData("1:02:03:04")]
    [InlineData("00:60:00")]
    [InlineData("12h1d")]
    [InlineData("1M")]
    [InlineData("-1s")]
    [InlineData("1 d")]
    [InlineData("999999999d")]
    public void A_duration_that_can_be_misread_is_refused(string text) =>
        Assert.Contains($"'{text}'", Assert.Single(Problems(("Payments:Redelivery:Timeout", text))));

    [Fact]
    public async Task Zero_needs_no_unit()
    {
        await using var app = Create(("Alarms:DigestInterval", "0"));

        Assert.Equal(TimeSpan.Zero, Options<AlarmsOptions>(app).DigestInterval);
    }

    [Fact]
    public void All_problems_are_reported_at_once()
    {
        var problems = Problems(
            ("Roles", "x"),
            ("RabbitMq:PrefetchCount", "none"),
            ("RabbitMq:HeartbeatInterval", "1.00:00:00"),
            ("Crm:Mode", "Idem"),
            ("Crm:Url", "crm")
        );

        Assert.Equal(
            ["Crm:Mode", "Crm:Url", "RabbitMq:HeartbeatInterval", "RabbitMq:PrefetchCount", "Roles"],
            problems.Select(problem => problem.Split(' ')[0]).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void A_password_is_never_part_of_a_problem() =>
        Assert.All(
            Problems(
                ("ConnectionStrings:Postgres", "Host=;Password=hunter2-hunter2"),
                ("RabbitMq:Uri", "http://u:hunter2-hunter2@h/"),
                ("Operations:ApiKey", "hunter2"),
                ("ObjectStatus:ApiKey", "hunter2"),
                ("Crm:Authorization", "hunter2\n"),
                ("Alerts:Secrets", "hunter2")
            ),
            problem => Assert.DoesNotContain("hunter2", problem)
        );

    [Fact]
    public void A_feature_that_does_not_run_here_may_be_misconfigured() =>
        Assert.Empty(Problems(("Roles", "payments"), ("Alerts:Endpoint", "nonsense")));

    [Fact]
    public void Own_passwords_are_not_warned_about()
    {
        Assert.False(new DatabaseOptions { Postgres = "Host=h;Database=d;Password=own" }.HasDevelopmentPassword);
        Assert.False(new RabbitMqOptions { Uri = "amqp://u:own@h/" }.HasDevelopmentPassword);
    }

    private static IReadOnlyList<string> Problems(params (string Key, string Value)[] values)
    {
        try
        {
            using var app = (IDisposable)Create(values);
            return [];
        }
        catch (InvalidConfigurationException invalid)
        {
            return invalid.Problems;
        }
    }

    private static WebApplication Create(params (string Key, string Value)[] values)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Bus:Transport"] = "InMemory",
            ["Serilog:MinimumLevel:Default"] = "Fatal",
        };
        foreach (var (key, value) in values)
            settings[key] = value;
        return SagasHost.Create([], settings);
    }

    private static TOptions Options<TOptions>(WebApplication app)
        where TOptions : class => app.Services.GetRequiredService<IOptions<TOptions>>().Value;
}
