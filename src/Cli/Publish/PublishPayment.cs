using System.CommandLine;
using System.Security.Cryptography;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Contracts;

namespace Sagas.Cli.Publish;

/// <summary><c>sagas publish payment</c>, in short <c>sagas p</c>.</summary>
internal static class PublishPayment
{
    // Letters and digits that nobody takes for one another when reading an id aloud.
    private const string Alphabet = "abcdefghjkmnpqrstvwxyz23456789";

    private static readonly string[] _queues = ["payment-saga"];

    public static Command Create(string name, Terminal terminal)
    {
        var customerId = CommandOptions.IdArgument("customer-id", "The customer who pays; need not be known yet.");
        var paymentId = CommandOptions.IdOption("--payment-id", "The payment's id. Default: a random one, which is shown.");
        var amount = PublishOptions.Amount();
        var currency = PublishOptions.Currency();
        var count = PublishOptions.Count("Publish that many payments of this customer.");
        var start = name.Length == 1 ? $"sagas {name}" : $"sagas publish {name}";
        var command = new SagasCommand(
            name,
            "Publish PaymentRequested: a payment of a customer is asked for."
            + (name.Length == 1 ? " Short for `publish payment`." : ""),
            $"{start} 4711",
            $"{start} 4711 --amount 12.34 --currency GBP --payment-id invoice-8",
            $"{start} 4711 --count 1000")
        {
            customerId, amount, currency, paymentId, count, CommandOptions.RabbitMq(),
        };
        command.SetAction(async (parse, stop) =>
        {
            var payment = new PaymentRequested(
                "",
                parse.GetRequiredValue(customerId),
                parse.GetValue(amount),
                parse.GetRequiredValue(currency),
                terminal.Time.GetUtcNow());
            var number = parse.GetValue(count);
            var ids = parse.GetValue(paymentId) is { } named
                ? PublishOptions.Ids(named, number)
                : Enumerable.Range(0, number).Select(_ => RandomId());
            var messages = ids.Select(id => new OutgoingMessage(id, payment with { PaymentId = id }));
            await Publication.RunAsync(parse, terminal, nameof(PaymentRequested), _queues, messages, stop);
            return ExitCode.Ok;
        });
        return command;
    }

    private static string RandomId() => "pay-" + RandomNumberGenerator.GetString(Alphabet, 10);
}
