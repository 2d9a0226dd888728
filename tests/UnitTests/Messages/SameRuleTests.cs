using Microsoft.Extensions.Time.Testing;
using Sagas.Contracts;
using Sagas.Services;
using Sagas.Services.Ingest;
using Sagas.Services.Messages;
using Sagas.UnitTests.CommandLine;
using Sagas.UnitTests.FileIntake;

namespace Sagas.UnitTests.Messages;

/// <summary>A value is read alike, or refused, whatever way it comes.</summary>
public sealed class SameRuleTests
{
    private const int Refused = 2;

    private static readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 26, 12, 0, 0, TimeSpan.Zero));
    private static readonly MessageRules _rules = new(Features.Product.MessageRules, new MessagesOptions(), _clock);

    [Theory]
    [InlineData("2025-11-21T04:41:00Z", "2025-11-21T04:41:00Z")]
    [InlineData("2025-11-21T04:41:00+0000", "2025-11-21T04:41:00Z")]
    [InlineData("2025-11-21 04:41:00", "2025-11-21T04:41:00Z")]
    [InlineData("2025-11-21 05:41:00 +01", "2025-11-21T04:41:00Z")]
    [InlineData("2025-11-21T04:41", "2025-11-21T04:41:00Z")]
    [InlineData("2025-11-21T04:41:00.1234567", "2025-11-21T04:41:00.1234567Z")]
    [InlineData("2025-11-21", "2025-11-21T00:00:00Z")]
    [InlineData("2025/11/21", "2025-11-21T00:00:00Z")]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z")]
    [InlineData("21.11.2025", null)]
    [InlineData("2025-11-21T04:41:00 PM", null)]
    [InlineData("Fri, 21 Nov 2025 04:41:00 GMT", null)]
    [InlineData("1763700060", null)]
    public async Task A_time(string text, string? expected)
    {
        var payment = $$"""{"paymentId":"p","customerId":"c","amount":1,"currency":"EUR","requestedAt":"{{text}}"}""";
        var alarm = $$"""{"AlarmID":"a","UserID":"u","Status":"WARNING","ChangedAt":"{{text}}"}""";
        var customer = $$"""{"customerId":"c","registeredAt":"{{text}}"}""";
        Instant?[] read =
        [
            OrNull(() => IncomingJson.Read<PaymentRequested>(IncomingJson.Plain(payment, "PaymentRequested")).RequestedAt!.Value),
            OrNull(() => IncomingJson.Read<AlarmStatusChanged>(IncomingJson.Plain(alarm, "AlarmStatusChanged")).ChangedAt),
            OrNull(() =>
                IncomingJson
                    .Read<CustomerRegistered>(
                        IncomingJson.Envelope(
                            $$"""{"messageType":["urn:message:Sagas.Contracts:CustomerRegistered"],"message":{{customer}}}"""
                        )
                    )
                    .RegisteredAt!.Value
            ),
            FromFile(text),
        ];

        Assert.All(read, time => Assert.Equal(expected, time?.ToString()));
        Assert.Equal(expected is null, await IsRefusedAsync("c", "4711", "--registered-at", text));
        Assert.Equal(expected is null, await IsRefusedAsync("alarms", "publish", "u", "a", "WARNING", "--at", text));
    }

    public static TheoryData<string, bool> Names =>
        new()
        {
            { "Ada", true },
            { " Zoë Ångström ", true },
            { new string('x', 512), true },
            { new string('é', 512), true },
            { new string('é', 513), false },
            { "Ada\nLovelace", false },
            { "Ada\tLovelace", false },
            { "Ada\u0085Lovelace", false },
            { "Ada\u001b[2J", false },
            { "Ada\0", false },
        };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_name(string name, bool isValid)
    {
        Assert.Equal(isValid, IsValid(new CustomerRegistered("c", Phone: name)));
        Assert.Equal(isValid, Row($"customer_id,phone\nc,\"{name}\"\n").Reason is null);
        Assert.Equal(!isValid, await IsRefusedAsync("c", "4711", "--phone", name));
    }

    [Theory]
    [InlineData("jane@example.com", true)]
    [InlineData(" jane@example.com ", true)]
    [InlineData("jörg@bücher.example", true)]
    [InlineData("jane@example.com\nBcc: all@example.com", false)]
    [InlineData("jane\u007f@example.com", false)]
    [InlineData("jane", false)]
    [InlineData("jane@example", false)]
    [InlineData("jane@@example.com", false)]
    [InlineData("jane@example.com, joe@example.com", false)]
    public async Task An_email(string email, bool isValid)
    {
        Assert.Equal(isValid, IsValid(new CustomerRegistered("c", Email: email)));
        Assert.Equal(isValid, Row($"customer_id,email\nc,\"{email}\"\n").Reason is null);
        Assert.Equal(!isValid, await IsRefusedAsync("c", "4711", "--email", email));
    }

    [Theory]
    [InlineData("12.3400", "EUR", true)]
    [InlineData("1.005", "EUR", false)]
    [InlineData("10.5", "JPY", false)]
    [InlineData("10.0", "JPY", true)]
    [InlineData("1.005", "KWD", true)]
    public async Task An_amount(string amount, string currency, bool isValid)
    {
        var value = decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture);

        Assert.Equal(isValid, IsValid(new PaymentRequested("p", "c", value, currency)));
        Assert.Equal(!isValid, await IsRefusedAsync("p", "4711", "--amount", amount, "--currency", currency));
    }

    [Theory]
    [InlineData("Order has been placed", true)]
    [InlineData("first\nsecond", true)]
    [InlineData(" ", false)]
    [InlineData("a\0b", false)]
    public async Task The_text_of_an_alert(string text, bool isValid)
    {
        Assert.Equal(isValid, IsValid(new SendAlert("a", "u", text)));
        Assert.Equal(!isValid, await IsRefusedAsync("alerts", "send", "u", text));
    }

    private static Instant? FromFile(string time) =>
        Row($"customer_id,registered_at\nc,\"{time}\"\n").RegisteredAt is { } at ? at : default(Instant?);

    private static Instant? OrNull(Func<Instant> read)
    {
        try
        {
            return read();
        }
        catch (InvalidMessageException)
        {
            return null;
        }
    }

    private static bool IsValid(object message)
    {
        try
        {
            _rules.Check(message);
            return true;
        }
        catch (InvalidMessageException)
        {
            return false;
        }
    }

    // No broker is available: what is not refused cannot be published either.
    private static async Task<bool> IsRefusedAsync(params string[] args) =>
        (await CommandLineRun.OfAsync(args)).ExitCode == Refused;

    private static (string? Reason, DateTimeOffset? RegisteredAt) Row(string content)
    {
        using var file = TextFile.Of(content);
        using var table = CustomerIngest.Open(file.Path, length: null, new IngestOptions(), out var problem)!;
        Assert.Null(problem);
        Assert.True(table.Read());
        var rejected = new CustomerRowReader(table, new MessagesOptions(), _clock).Read(out var row);
        return (rejected?.Reason, row.RegisteredAt);
    }
}
