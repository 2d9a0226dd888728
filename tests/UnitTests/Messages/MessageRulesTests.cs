using Microsoft.Extensions.Time.Testing;
using Sagas.Contracts;
using Sagas.Services;
using Sagas.Services.Messages;

namespace Sagas.UnitTests.Messages;

public sealed class MessageRulesTests
{
    private static readonly DateTimeOffset _now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly MessageRules _rules = new(
        Features.Product.MessageRules,
        new MessagesOptions(),
        new FakeTimeProvider(_now)
    );

    private static PaymentRequested Payment(
        string paymentId = "p",
        string customerId = "c",
        decimal amount = 1,
        string currency = "EUR",
        DateTimeOffset? requestedAt = null
    ) => new(paymentId, customerId, amount, currency, requestedAt);

    public static TheoryData<PaymentRequested, string> BadPayments =>
        new()
        {
            { Payment(paymentId: ""), "PaymentId must not be empty" },
            { Payment(paymentId: "   "), "PaymentId must not be empty" },
            { Payment(paymentId: null!), "PaymentId must not be empty" },
            { Payment(paymentId: new string('x', 129)), "PaymentId must be at most 128 characters long, and has 129" },
            { Payment(paymentId: "a\nb"), "PaymentId must not contain control characters" },
            { Payment(paymentId: "a\ud800"), "PaymentId must be valid Unicode" },
            { Payment(customerId: ""), "CustomerId must not be empty" },
            { Payment(customerId: new string('x', 500)), "CustomerId must be at most 128 characters" },
            { Payment(amount: 0), "Amount must be greater than zero" },
            { Payment(amount: -1), "Amount must be greater than zero" },
            { Payment(amount: 1_000_000_000_000.01m), "Amount must be at most 1000000000000" },
            { Payment(amount: decimal.MaxValue), "Amount must be at most 1000000000000" },
            { Payment(amount: 1.005m), "Amount must have at most 2 decimals, as EUR has" },
            { Payment(amount: 10.5m, currency: "jpy"), "Amount must be a whole number, because JPY has no decimals" },
            { Payment(amount: 1.2345m, currency: "KWD"), "Amount must have at most 3 decimals, as KWD has" },
            { Payment(currency: null!), "Currency must be" },
            { Payment(currency: ""), "Currency must be" },
            { Payment(currency: "EURO"), "Currency must be" },
            { Payment(currency: "XXX"), "Currency must be" },
            { Payment(currency: "DEM"), "Currency must be" },
            { Payment(requestedAt: _now.AddMinutes(6)), "RequestedAt lies in the future" },
            { Payment(requestedAt: DateTimeOffset.MinValue), "RequestedAt must not be before 1970-01-01" },
        };

    public static TheoryData<PaymentRequested> GoodPayments =>
        [
            Payment(),
            Payment(paymentId: new string('x', 128)),
            Payment(paymentId: " " + new string('x', 128) + " "),
            Payment(paymentId: "änderung/17 😀"),
            Payment(amount: 1_000_000_000_000m),
            Payment(amount: 0.01m),
            Payment(amount: 12.3400m),
            Payment(amount: 500.0000m, currency: "JPY"),
            Payment(amount: 1.234m, currency: "KWD"),
            Payment(amount: 0.0001m, currency: "CLF"),
            Payment(amount: 1.50000000m),
            Payment(currency: "usd"),
            Payment(requestedAt: _now.AddMinutes(5)),
            Payment(requestedAt: DateTimeOffset.UnixEpoch),
        ];

    public static TheoryData<CustomerRegistered, string> BadCustomers =>
        new()
        {
            { new(""), "CustomerId must not be empty" },
            { new("c", FirstName: new string('x', 513)), "FirstName must be at most 512 characters long, and has 513" },
            { new("c", LastName: new string('x', 513)), "LastName must be at most 512" },
            { new("c", Email: new string('x', 513)), "Email must be at most 512" },
            { new("c", Phone: new string('x', 513)), "Phone must be at most 512" },
            { new("c", Source: new string('x', 513)), "Source must be at most 512" },
            { new("c", FirstName: "a\0b"), "FirstName must be valid Unicode" },
            { new("c", LastName: "\udc00"), "LastName must be valid Unicode" },
            { new("c", FirstName: "Ada\nLovelace"), "FirstName must be one line, without control characters" },
            { new("c", Phone: "1\u009b2"), "Phone must be one line" },
            { new("c", Source: "a\tb"), "Source must be one line" },
            { new("c", Email: "jane@example.com\r\nBcc: all@example.com"), "Email must be one line" },
            { new("c", Email: "jane"), "Email must be an e-mail address" },
            { new("c", Email: "jane@example"), "Email must be an e-mail address" },
            { new("c", RegisteredAt: _now.AddHours(1)), "RegisteredAt lies in the future" },
            {
                new("c", RegisteredAt: new DateTimeOffset(1, 1, 1, 0, 0, 0, TimeSpan.Zero)),
                "RegisteredAt must not be before 1970-01-01"
            },
        };

    [Theory]
    [MemberData(nameof(BadPayments))]
    public void An_invalid_payment_is_rejected_with_its_field(PaymentRequested payment, string expected)
    {
        var reason = Assert.Throws<InvalidMessageException>(() => _rules.Check(payment)).Message;
        Assert.StartsWith("PaymentRequested: ", reason);
        Assert.Contains(expected, reason);
    }

    [Theory]
    [MemberData(nameof(GoodPayments))]
    public void A_valid_payment_is_accepted(PaymentRequested payment) => _rules.Check(payment);

    [Theory]
    [MemberData(nameof(BadCustomers))]
    public void An_invalid_customer_is_rejected_with_its_field(CustomerRegistered customer, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidMessageException>(() => _rules.Check(customer)).Message);

    [Fact]
    public void A_customer_with_only_an_id_is_accepted() => _rules.Check(new CustomerRegistered("c"));

    [Theory]
    [InlineData("")]
    [InlineData(" jane@example.com\n")]
    public void An_email_may_be_empty_and_white_space_around_it_does_not_count(string email) =>
        _rules.Check(new CustomerRegistered("c", Email: email));

    [Fact]
    public void The_name_of_an_operator_is_one_line()
    {
        Assert.Throws<InvalidMessageException>(() => _rules.Check(new RevivePayment("p", "ada\nroot")));
        Assert.Throws<InvalidMessageException>(() => _rules.Check(new RetryCustomerSync("c", "ada\nroot")));
    }

    [Fact]
    public void The_text_of_an_alert_may_have_several_lines() => _rules.Check(new SendAlert("a", "u", "first\nsecond"));

    [Fact]
    public void A_revival_needs_a_payment() => Assert.Throws<InvalidMessageException>(() => _rules.Check(new RevivePayment(" ")));

    [Fact]
    public void Customers_are_synced_by_valid_ids_and_versions()
    {
        _rules.Check(new SyncCustomer("c", 1));
        _rules.Check(new SyncCustomers(["a", "b"]));
        _rules.Check(new CustomerSynced("c", 1));
        _rules.Check(new CustomerSyncFailed("c", 1, "why"));
        _rules.Check(new RetryCustomerSync("c"));

        Assert.Throws<InvalidMessageException>(() => _rules.Check(new SyncCustomer("c", 0)));
        Assert.Throws<InvalidMessageException>(() => _rules.Check(new SyncCustomers([])));
        Assert.Throws<InvalidMessageException>(() => _rules.Check(new SyncCustomers(null!)));
        Assert.Throws<InvalidMessageException>(() => _rules.Check(new SyncCustomers(["a", null!])));
        Assert.Throws<InvalidMessageException>(() => _rules.Check(new SyncCustomers([.. Enumerable.Repeat("a", 501)])));
        Assert.Throws<InvalidMessageException>(() => _rules.Check(new CustomerSynced(" ", 1)));
        Assert.Throws<InvalidMessageException>(() => _rules.Check(new CustomerSynced("c", -1)));
        Assert.Throws<InvalidMessageException>(() => _rules.Check(new CustomerSyncFailed("c", 1, " ")));
        Assert.Throws<InvalidMessageException>(() => _rules.Check(new RetryCustomerSync("a\nb")));
    }
}
