using System.Globalization;
using System.Text.Json;
using Sagas.Contracts;
using Sagas.Customers;
using Sagas.Host.Logs;
using Serilog;
using Serilog.Formatting.Compact;

namespace Sagas.UnitTests.Host;

public sealed class PersonalDataTests
{
    private static readonly CustomerRegistered _customer = new(
        "c-1",
        "Jane, the = first",
        "Doe-Smith",
        "jane@example.com",
        "+49 30 1234",
        DateTimeOffset.UnixEpoch,
        "crm"
    );

    private static readonly string[] _personal = ["Jane", "first", "Doe-Smith", "jane@example.com", "1234"];

    private static string Log(string template, params object?[] values)
    {
        var mask = new PersonalDataMask();
        var output = new StringWriter(CultureInfo.InvariantCulture);
        using (
            var logger = new LoggerConfiguration()
                .Destructure.With(mask)
                .Enrich.With(mask)
                .WriteTo.Sink(new Lines(output))
                .CreateLogger()
        )
            logger.Information(template, values);
        return output.ToString();
    }

    [Theory]
    [InlineData("Got {@Message}")]
    [InlineData("Got {Message}")]
    [InlineData("Got {$Message}")]
    public void A_customer_is_logged_without_personal_data(string template)
    {
        var line = Log(template, _customer);
        Assert.All(_personal, text => Assert.DoesNotContain(text, line));
        Assert.Contains("c-1", line);
        Assert.Contains("***", line);
        JsonDocument.Parse(line);
    }

    [Fact]
    public void A_saga_and_a_list_of_customers_are_masked_too()
    {
        var line = Log(
            "{@Saga} {@List} {Texts}",
            new CustomerState
            {
                CustomerId = "c-2",
                FirstName = "Jane",
                Phone = "1234",
            },
            new[] { _customer },
            new[] { _customer.ToString() }
        );
        Assert.All(_personal, text => Assert.DoesNotContain(text, line));
        Assert.Contains("c-2", line);
    }

    [Theory]
    [InlineData("Got {@Message}")]
    [InlineData("Got {Message}")]
    public void The_text_of_an_alert_is_masked(string template)
    {
        var line = Log(template, new SendAlert("a-1", "u-1", "Your code }, X = 1234"));
        Assert.DoesNotContain("code", line);
        Assert.DoesNotContain("1234", line);
        Assert.Contains("a-1", line);
    }

    [Fact]
    public void Other_messages_are_logged_as_they_are() =>
        Assert.Contains("12.5", Log("{@Message}", new PaymentRequested("p", "c", 12.5m, "EUR")));

    private sealed class Lines(TextWriter output) : Serilog.Core.ILogEventSink
    {
        private readonly RenderedCompactJsonFormatter _format = new();

        public void Emit(Serilog.Events.LogEvent logEvent) => _format.Format(logEvent, output);
    }
}
