using Microsoft.Extensions.Configuration;
using Sagas.Host.Settings;
using Sagas.Services;
using Sagas.Services.Operations;
using Sagas.Services.Payments;

namespace Sagas.UnitTests.Host;

public sealed class HostSettingsTests
{
    private static HostSettings Read(params (string Key, string? Value)[] values) =>
        HostSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(pair => pair.Key, pair => pair.Value)).Build());

    [Fact]
    public void Nothing_configured_is_a_whole_process_on_this_machine()
    {
        var settings = Read();
        Assert.Same(Features.AllRoles, settings.Roles);
        Assert.True(settings.UsesRabbitMq);
        Assert.Equal("/", settings.RabbitMq.VirtualHost);
        Assert.Equal(TimeSpan.FromSeconds(25), settings.ShutdownTimeout);
        Assert.Equal(["ConnectionStrings:Postgres", "RabbitMq:Uri"], settings.KeysWithDevelopmentPassword);
    }

    [Fact]
    public void Roles_are_a_list()
    {
        var roles = Read(("Roles", " sagas , Operations")).Roles;
        Assert.True(roles.Has(PaymentsModule.SagasRole));
        Assert.True(roles.Has(OperationsModule.OperationsRole));
        Assert.False(roles.Has(PaymentsModule.GatewayRole));
    }

    [Theory]
    [InlineData("amqp://user:p%40ss@broker:5673/my%2Fhost", "broker", 5673, "my/host", "p@ss", false)]
    [InlineData("amqps://user:pw@broker/sagas", "broker", 5671, "sagas", "pw", true)]
    [InlineData("amqp://user:pw@broker", "broker", 5672, "/", "pw", false)]
    public void The_broker_is_a_URI(string uri, string host, int port, string virtualHost, string password, bool tls)
    {
        var rabbitMq = Read(("RabbitMq:Uri", uri)).RabbitMq;
        Assert.Equal((host, port, virtualHost, password, tls),
            (rabbitMq.Address.Host, rabbitMq.Address.Port, rabbitMq.VirtualHost, rabbitMq.Password, rabbitMq.UsesTls));
        Assert.DoesNotContain(password, rabbitMq.Address.ToString());
    }

    [Theory]
    [InlineData("Roles", "sagas,crmm", "'crmm'", "payments")]
    [InlineData("Bus:Transport", "Kafka", "'Kafka'", "InMemory")]
    [InlineData("ShutdownTimeout", "soon", "'soon'", "00:00:25")]
    [InlineData("ShutdownTimeout", "00:00:00", "'00:00:00'", "00:00:25")]
    [InlineData("RabbitMq:Prefetch", "0", "'0'", "64")]
    [InlineData("RabbitMq:Uri", "localhost:5672", "cannot be read", "amqp://user:password@host:5672/vhost")]
    [InlineData("ConnectionStrings:Postgres", "nonsense", "cannot be read", "Host=localhost")]
    [InlineData("ConnectionStrings:Postgres", "Host=x", "names no Database", "Host=localhost")]
    [InlineData("Logging:Format", "xml", "'xml'", "json")]
    [InlineData("Messages:AllowedClockSkew", "-1", "'-1'", "00:05:00")]
    [InlineData("Payments:Redelivery:Increment", "a second", "'a second'", "00:00:01")]
    [InlineData("Operations:ApiKey", "secret", "too short", "openssl rand")]
    public void A_value_that_cannot_be_used_is_told_with_its_key_and_the_remedy(string key, string value, string what, string remedy)
    {
        var refused = Assert.Throws<SettingsRefusedException>(() => Read((key, value)));
        var sentence = Assert.Single(refused.Problems);
        Assert.StartsWith(key, sentence);
        Assert.Contains(what, sentence);
        Assert.Contains(remedy, sentence);
        Assert.EndsWith(".", sentence);
    }

    [Fact]
    public void Everything_that_is_wrong_is_told_at_once() =>
        Assert.Equal(2, Assert.Throws<SettingsRefusedException>(() => Read(("Roles", "x"), ("Bus:Transport", "y"))).Problems.Count);

    [Fact]
    public void A_password_is_never_part_of_a_complaint()
    {
        var refused = Assert.Throws<SettingsRefusedException>(() =>
            Read(("ConnectionStrings:Postgres", "Host=;Password=hunter2-hunter2"), ("RabbitMq:Uri", "http://u:hunter2-hunter2@h/"), ("Operations:ApiKey", "hunter2")));
        Assert.DoesNotContain("hunter2", refused.Message);
    }

    [Fact]
    public void Own_passwords_are_not_warned_about() =>
        Assert.Empty(Read(("ConnectionStrings:Postgres", "Host=h;Database=d;Password=own"), ("RabbitMq:Uri", "amqp://u:own@h/")).KeysWithDevelopmentPassword);

    [Theory]
    [InlineData("Crm:Mode", "Idem", "Crm:Mode is 'Idem': use one of IdempotencyKey, Lookup, AtMostOnce (as an environment variable: Crm__Mode).")]
    [InlineData("Alarms:DigestEvery", "hourly", "Alarms:DigestEvery is 'hourly': use a duration")]
    [InlineData("Ingest:MaxUploadBytes", "10 GB", "Ingest:MaxUploadBytes is '10 GB': use a whole number")]
    [InlineData("Payments:GatewayUrl", "nonsense", "Payments:GatewayUrl must be an absolute http or https address.")]
    [InlineData("Payments:Calls:CallTimeout", "a while", "Payments:Calls:CallTimeout is 'a while': use a duration")]
    public void A_value_of_the_wrong_kind_is_refused_with_what_it_must_be(string key, string value, string said)
    {
        var refused = Assert.Throws<SettingsRefusedException>(() => Sagas.Host.SagasHost.Create(
            [], new Dictionary<string, string?> { ["Bus:Transport"] = "InMemory", ["Serilog:MinimumLevel:Default"] = "Fatal", [key] = value }));
        Assert.Contains(said, refused.Message);
    }
}
