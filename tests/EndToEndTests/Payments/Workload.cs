using System.Globalization;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Payments;

/// <summary>A requested payment.</summary>
internal sealed record Order(string PaymentId, string CustomerId, decimal Amount)
{
    /// <summary>The name of the payment at the gateway.</summary>
    public string Key { get; } = SagaIdentity.Payment(PaymentId).ToString("D");

    /// <summary>The simulated gateway declines amounts with this fraction, and no others.</summary>
    public bool IsDeclined => Amount % 1 == 0.13m;

    public string ToJson() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"paymentId":"{{PaymentId}}","customerId":"{{CustomerId}}","amount":{{Amount}},"currency":"EUR"}"""
        );
}

/// <summary>Customers and payments, in one random order: many payments come before their customer.</summary>
internal sealed class Workload
{
    private const int DeclinedOfHundred = 5;

    /// <param name="customers">How many customers; each has about the same number of payments.</param>
    /// <param name="payments">How many payments.</param>
    /// <param name="random">Decides order and amounts.</param>
    public Workload(int customers, int payments, Random random)
    {
        Customers = customers;
        Orders =
        [
            .. Enumerable
                .Range(0, payments)
                .Select(number => new Order(
                    $"p-{number:D6}",
                    $"c-{number % customers:D6}",
                    random.Next(1, 5_000) + (random.Next(100) < DeclinedOfHundred ? 0.13m : 0.50m)
                )),
        ];
        var messages = Orders
            .Select(order => new PlainMessage("PaymentRequested", order.ToJson()))
            .Concat(
                Enumerable
                    .Range(0, customers)
                    .Select(number => new PlainMessage(
                        "CustomerRegistered",
                        $$"""{"customerId":"c-{{number:D6}}","firstName":"Ada","email":"c-{{number}}@example.com"}"""
                    ))
            )
            .ToArray();
        random.Shuffle(messages);
        Messages = messages;
    }

    public int Customers { get; }

    public IReadOnlyList<Order> Orders { get; }

    /// <summary>What is published, in order.</summary>
    public IReadOnlyList<PlainMessage> Messages { get; }
}
