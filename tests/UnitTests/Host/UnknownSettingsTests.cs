using Microsoft.Extensions.Configuration;
using Sagas.Host.Settings;
using Sagas.Services;

namespace Sagas.UnitTests.Host;

public sealed class UnknownSettingsTests
{
    [Theory]
    [InlineData("Crm:Ulr", "Crm:Url")]
    [InlineData("crm:calls:calltimout", "crm:calls:CallTimeout")]
    [InlineData("Alerts:Limit:PerSecnd", "Alerts:Limit:PerSecond")]
    [InlineData("Payments:Redelivery:BaseDely", "Payments:Redelivery:BaseDelay")]
    [InlineData("RabbitMq:Url", "RabbitMq:Uri")]
    [InlineData("Ingest:Watch", null)]
    public void A_misspelled_setting_is_found_with_its_likely_name(string key, string? meant) =>
        Assert.Equal([(key, meant)], Find(key));

    [Theory]
    [InlineData("Alert:Folder", "Alerts")]
    [InlineData("Paymnts:GatewayUrl", "Payments")]
    public void A_misspelled_section_is_found_with_its_likely_name(string key, string meant) =>
        Assert.Equal([(key.Split(':')[0], meant)], Find(key));

    [Theory]
    [InlineData("ROLES")]
    [InlineData("ConnectionStrings:Postgres")]
    [InlineData("RABBITMQ:URI")]
    [InlineData("Crm:Calls:CallTimeout")]
    [InlineData("Ingest:Columns:first_name")]
    [InlineData("Serilog:MinimumLevel:Default")]
    [InlineData("PATH")]
    [InlineData("LESS")]
    [InlineData("ASPNETCORE_HTTP_PORTS")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT")]
    public void A_known_setting_and_one_of_other_programs_are_not_reported(string key) => Assert.Empty(Find(key));

    private static (string Key, string? Meant)[] Find(string key) =>
        [
            .. Sections
                .Unknown(Features.Product)
                .In(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create(key, (string?)"1")]).Build()),
        ];
}
