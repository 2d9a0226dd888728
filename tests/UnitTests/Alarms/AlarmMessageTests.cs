using Microsoft.Extensions.Time.Testing;
using Sagas.Contracts;
using Sagas.Services;
using Sagas.Services.Messages;
using static Sagas.UnitTests.Messages.IncomingJson;

namespace Sagas.UnitTests.Alarms;

/// <summary>Which changes and requests are accepted, and how they are read.</summary>
public sealed class AlarmMessageTests
{
    private static readonly DateTimeOffset _now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly MessageRules _rules = new(
        Features.Product.MessageRules,
        new MessagesOptions(),
        new FakeTimeProvider(_now)
    );
    private static readonly AlarmStatusChanged _good = new("a", "u", "WARNING", _now);

    private const string Body =
        """{"AlarmID":"a","UserID":"u","Status":"Warning","ChangedAt":"2021-06-07T20:40:15.598765212Z"}""";

    public static TheoryData<AlarmStatusChanged, string> Bad =>
        new()
        {
            { _good with { AlarmId = " " }, "AlarmId must not be empty" },
            { _good with { AlarmId = new string('x', 129) }, "AlarmId must be at most 128 characters" },
            { _good with { AlarmId = "a\0" }, "AlarmId must not contain control characters" },
            { _good with { AlarmId = "a\ud800" }, "AlarmId must be valid Unicode" },
            { _good with { UserId = null! }, "UserId must not be empty" },
            { _good with { Status = "OK" }, "Status must be one of CLEARED, WARNING, CRITICAL" },
            { _good with { Status = "" }, "Status must be one of" },
            { _good with { Status = null! }, "Status must be one of" },
            { _good with { ChangedAt = _now.AddMinutes(5).AddTicks(1) }, "ChangedAt lies in the future" },
            { _good with { ChangedAt = DateTimeOffset.MaxValue }, "ChangedAt lies in the future" },
            { _good with { ChangedAt = DateTimeOffset.MinValue }, "ChangedAt must not be before 1970-01-01" },
            {
                _good with
                {
                    ChangedAt = Instant.Parse("1969-12-31T23:59:59.999999999Z"),
                },
                "ChangedAt must not be before 1970-01-01"
            },
        };

    public static TheoryData<AlarmStatusChanged> Good =>
        [
            _good,
            _good with
            {
                Status = "critical",
            },
            _good with
            {
                Status = " Cleared ",
            },
            _good with
            {
                AlarmId = "Türe/2 😀",
                UserId = " u ",
            },
            _good with
            {
                ChangedAt = _now.AddMinutes(5),
            },
            _good with
            {
                ChangedAt = DateTimeOffset.UnixEpoch,
            },
        ];

    [Theory]
    [MemberData(nameof(Bad))]
    public void An_invalid_change_is_rejected_with_its_field(AlarmStatusChanged change, string expected)
    {
        var reason = Assert.Throws<InvalidMessageException>(() => _rules.Check(change)).Message;
        Assert.StartsWith("AlarmStatusChanged: ", reason);
        Assert.Contains(expected, reason);
    }

    [Theory]
    [MemberData(nameof(Good))]
    public void A_valid_change_is_accepted(AlarmStatusChanged change) => _rules.Check(change);

    [Fact]
    public void A_request_needs_a_user() => Assert.Throws<InvalidMessageException>(() => _rules.Check(new SendAlarmDigest("")));

    [Fact]
    public void A_change_is_read_to_the_nanosecond_with_and_without_an_envelope()
    {
        var plain = Read<AlarmStatusChanged>(Plain(Body, "AlarmStatusChanged"));
        Assert.Equal(new AlarmStatusChanged("a", "u", "Warning", Instant.Parse("2021-06-07T20:40:15.598765212Z")), plain);
        Assert.Equal(9, plain.ChangedAt.Decimals);
        var envelope = $$"""{"messageType":["urn:message:Sagas.Contracts:AlarmStatusChanged"],"message":{{Body}}}""";
        Assert.Equal(plain, Read<AlarmStatusChanged>(Envelope(envelope)));
        Assert.Equal("u", Read<SendAlarmDigest>(Plain("""{"UserID":"u"}""", "SendAlarmDigest")).UserId);
    }

    [Theory]
    [InlineData("""{"AlarmID":"a","UserID":"u","Status":"WARNING"}""", "ChangedAt is missing")]
    [InlineData("""{"AlarmID":"a","UserID":"u","Status":"WARNING","ChangedAt":null}""", "ChangedAt is missing")]
    [InlineData(
        """{"AlarmID":"a","UserID":"u","Status":"WARNING","ChangedAt":1623098415}""",
        "ChangedAt must be an ISO 8601 time"
    )]
    [InlineData(
        """{"AlarmID":"a","UserID":"u","Status":"WARNING","ChangedAt":"2021-02-30T00:00:00Z"}""",
        "ChangedAt must be an ISO 8601 time"
    )]
    [InlineData("""{"AlarmID":"a","UserID":"u","Status":3,"ChangedAt":"2021-02-03T00:00:00Z"}""", "Status must be")]
    [InlineData("""{"AlarmID":"a","Status":"WARNING","ChangedAt":"2021-02-03T00:00:00Z"}""", "UserId is missing")]
    public void A_field_that_cannot_be_read_is_named(string body, string expected)
    {
        var context = Plain(body, "AlarmStatusChanged");
        Assert.Contains(
            expected,
            Rejection(() =>
            {
                context.TryGetMessage<AlarmStatusChanged>(out var change);
                _rules.Check(change!);
            })
        );
    }
}
