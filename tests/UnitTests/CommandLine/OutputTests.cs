using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Files;
using Sagas.Cli.Messages;
using Sagas.Cli.Payments;

namespace Sagas.UnitTests.CommandLine;

public sealed class OutputTests
{
    private static readonly DateTimeOffset _now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly PaymentRow _payment = new(
        "pay-k3m9q4xabc",
        "customer-4711",
        "AwaitingCustomer",
        1234.5m,
        "EUR",
        3,
        _now.AddSeconds(3.2),
        null,
        null,
        null,
        null,
        null,
        _now.AddSeconds(-7),
        _now.AddSeconds(-7),
        null
    );

    [Theory]
    [InlineData(0.5, "500 ms")]
    [InlineData(3.24, "3.2 s")]
    [InlineData(9.96, "10 s")]
    [InlineData(89, "89 s")]
    [InlineData(600, "10 min")]
    [InlineData(7200, "2 h")]
    [InlineData(864000, "10 days")]
    public void A_duration_has_one_unit(double seconds, string text) =>
        Assert.Equal(text, Format.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void A_time_is_shown_relative_to_now()
    {
        Assert.Equal("in 3.2 s", Format.FromNow(_now.AddSeconds(3.2), _now));
        Assert.Equal("5 min ago", Format.FromNow(_now.AddMinutes(-5), _now));
        Assert.Equal("", Format.FromNow(null, _now));
    }

    [Fact]
    public void Text_from_outside_cannot_control_the_terminal()
    {
        var letter = new DeadLetter(
            "id",
            "payment-saga_error",
            "payment-saga",
            null,
            null,
            "bad\u001b[2J\nreason",
            null,
            null,
            "\u0007body"
        );

        Assert.DoesNotContain(
            Drawn(160, terminal => ListDeadLetters.Table(terminal).Draw([letter])),
            character => char.IsControl(character) && character != '\n'
        );
    }

    [Theory]
    [InlineData(80)]
    [InlineData(160)]
    public void A_table_keeps_to_the_width_and_a_row_to_its_line(int width)
    {
        var lines = Drawn(width, terminal => ListPayments.Table(terminal, "").Draw([_payment, _payment]))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, width));
        Assert.Contains("1,234.50 EUR", lines[2]);
        Assert.Contains("in 3.2 s", lines[2]);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(160)]
    public void A_table_of_files_has_whole_names_and_no_empty_columns(int width)
    {
        var file = new FileRow(
            Guid.NewGuid(),
            "customers",
            "customers-2026-05-01.csv",
            "completed",
            null,
            1_000_000,
            10_005,
            989_995,
            0,
            0,
            null,
            null,
            null,
            null,
            _now.AddMinutes(-5)
        );

        var complete = Drawn(width, terminal => ListFiles.Table(terminal).Draw([file]));
        var failed = Drawn(160, terminal => ListFiles.Table(terminal).Draw([file with { Reason = "It is cut off." }]));

        Assert.Contains(file.Name, complete);
        Assert.DoesNotContain("Reason", complete);
        Assert.DoesNotContain("Delivered", complete);
        Assert.Contains("It is cut off.", failed);
    }

    [Theory]
    [InlineData(0.42, "0.4")]
    [InlineData(9.96, "10")]
    [InlineData(65249, "65,249")]
    public void A_rate_below_10_has_a_decimal(double rate, string text) => Assert.Equal(text, Format.PerSecond(rate));

    [Theory]
    [InlineData(0.02, "5 rejected in 0.0 s.")]
    [InlineData(10, "5 rejected in 10.0 s (0.5 rows/s).")]
    public void A_report_of_a_file_has_a_rate_from_a_second_on(double seconds, string end)
    {
        var report = new FileReport(
            "a.csv",
            Guid.NewGuid(),
            "customers",
            "completed",
            null,
            false,
            5,
            5,
            0,
            0,
            0,
            null,
            null,
            null,
            null,
            null,
            seconds
        );

        Assert.EndsWith(end, report.Sentence);
    }

    [Fact]
    public void Json_of_a_payment_has_the_columns_of_the_view()
    {
        var json = Written(terminal => terminal.WriteJson(new[] { _payment }));

        Assert.Equal(
            [
                "paymentId",
                "customerId",
                "state",
                "amount",
                "currency",
                "attempts",
                "nextDueAt",
                "gatewayReference",
                "failureReason",
                "gatewayCall",
                "gatewayAttempts",
                "gatewayOutcome",
                "requestedAt",
                "createdAt",
                "finishedAt",
                "tookMs",
            ],
            json[0].EnumerateObject().Select(property => property.Name)
        );
        Assert.Equal(1234.5m, json[0].GetProperty("amount").GetDecimal());
        Assert.Equal(JsonValueKind.Null, json[0].GetProperty("tookMs").ValueKind);
    }

    [Fact]
    public void The_page_of_a_payment_shows_what_it_waits_for()
    {
        var payment = new PaymentDetails(
            "invoice-8",
            SagaIdentity.Payment("invoice-8"),
            "4711",
            "AwaitingCustomer",
            12.34m,
            "EUR",
            _now,
            3,
            _now.AddSeconds(2),
            _now.AddDays(1),
            null,
            null,
            _now.AddSeconds(-6),
            _now,
            null,
            false,
            [new Transition(_now.AddSeconds(-6), null, "AwaitingCustomer", "PaymentRequested", Guid.NewGuid(), null)],
            null,
            [
                new OutboxRow(
                    1,
                    Guid.NewGuid(),
                    "PaymentRedeliveryDue",
                    "payment-saga",
                    "scheduled",
                    "its time has not come",
                    _now.AddSeconds(2),
                    _now,
                    0,
                    null
                ),
            ]
        );

        var page = Drawn(80, terminal => ShowPayment.Write(terminal, payment));

        Assert.Contains("4711 (not registered yet)", page);
        Assert.Contains("3 to find the customer", page);
        Assert.Contains("2026-05-01 12:00:02Z (in 2.0 s)", page);
        Assert.Contains("PaymentRedeliveryDue", page);
        Assert.All(page.Split('\n'), line => Assert.InRange(line.Length, 0, 80));
    }

    private static string Drawn(int width, Func<Terminal, Spectre.Console.Rendering.IRenderable> draw) =>
        Drawn(width, terminal => terminal.Write(draw(terminal)));

    private static string Drawn(int width, Action<Terminal> write)
    {
        using var output = new StringWriter { NewLine = "\n" };
        write(new Terminal(output, TextWriter.Null, width) { TimeProvider = new FakeTimeProvider(_now) });
        return output.ToString();
    }

    private static JsonElement Written(Action<Terminal> write) => JsonDocument.Parse(Drawn(80, write)).RootElement;
}
