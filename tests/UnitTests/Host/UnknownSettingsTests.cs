using Microsoft.Extensions.Configuration;
using Sagas.Host.Settings;

namespace Sagas.UnitTests.Host;

public sealed class UnknownSettingsTests
{
    private static (string Key, string? Meant)[] Find(params string[] keys) =>
        [.. UnknownSettings.In(new ConfigurationBuilder().AddInMemoryCollection(keys.ToDictionary(key => key, _ => (string?)"1")).Build())];

    [Theory]
    [InlineData("Crm:Ulr", "Crm:Url")]
    [InlineData("crm:calls:calltimout", "crm:calls:CallTimeout")]
    [InlineData("Alerts:Limit:PerSecnd", "Alerts:Limit:PerSecond")]
    [InlineData("Payments:Redelivery:Incremnt", "Payments:Redelivery:Increment")]
    [InlineData("RabbitMq:Url", "RabbitMq:Uri")]
    [InlineData("Ingest:Watch", null)]
    public void A_misspelled_setting_is_found_with_what_may_have_been_meant(string key, string? meant) =>
        Assert.Equal([(key, meant)], Find(key));

    [Theory]
    [InlineData("Role", "Roles")]
    [InlineData("Alert:Folder", "Alerts")]
    public void So_is_a_misspelled_section(string key, string meant) => Assert.Equal([(key.Split(':')[0], meant)], Find(key));

    [Fact]
    public void What_is_spelled_right_or_is_not_ours_is_not_reported() => Assert.Empty(Find(
        "ROLES", "ConnectionStrings:Postgres", "RabbitMq:Uri", "RABBITMQ:PREFETCH", "Crm:Enabled", "Crm:Url", "Crm:Calls:MaxAge", "Alerts:Limit:PerSecond",
        "Ingest:Columns:first_name", "Payments:GatewayUrl", "Payments:Redelivery:Cap", "Messages:MaximumBodySize", "Operations:ApiKey",
        "ObjectStatus:CallbackPort", "Alarms:DigestQueue", "Bus:Transport", "Logging:Format", "Serilog:MinimumLevel:Default", "ShutdownTimeout",
        "PATH", "HOME", "ALERTS_PORT", "urls", "USER", "LESS", "Cms", "ASPNETCORE_HTTP_PORTS", "HOSTNAME", "OTEL_EXPORTER_OTLP_ENDPOINT", "Kestrel:Limits"));
}
