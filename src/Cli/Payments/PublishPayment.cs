using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Publish;
using Sagas.Contracts;
using Sagas.Payments;

namespace Sagas.Cli.Payments;

/// <summary><c>sagas payments publish</c>, in short <c>sagas p</c>.</summary>
internal static class PublishPayment
{
    // Letters and digits that are not mistaken for one another.
    private const string Alphabet = "abcdefghjkmnpqrstvwxyz23456789";

    public static Command Create(string name, Terminal terminal)
    {
        var customerId = CommandOptions.IdArgument("customer-id", "The customer who pays; may be unknown yet.");
        var paymentId = CommandOptions.IdOption(
            "--payment-id",
            "The payment's id. Default: a random one, which the command shows."
        );
        var amount = PublishOptions.Amount();
        var currency = PublishOptions.Currency();
        var count = PublishOptions.Count("Publish that many payments of this customer.");
        var start = name.Length == 1 ? $"sagas {name}" : $"sagas payments {name}";
        var command = new SagasCommand(
            name,
            (name.Length == 1 ? "Short for `payments publish`. " : "")
                + "Publish PaymentRequested: request a payment of a customer.",
            $"{start} 4711",
            $"{start} 4711 --amount 12.34 --currency GBP --payment-id invoice-8",
            $"{start} 4711 --count 1000"
        )
        {
            customerId,
            amount,
            currency,
            paymentId,
            count,
            CommandOptions.RabbitMq(),
        };
        command.Validators.Add(result => CheckAmount(result, amount, currency));
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var code = parse.GetRequiredValue(currency);
                var payment = new PaymentRequested(
                    "",
                    parse.GetRequiredValue(customerId),
                    Currencies.Normalize(parse.GetValue(amount), code),
                    code,
                    terminal.TimeProvider.GetUtcNow()
                );
                var number = parse.GetValue(count);
                var ids = parse.GetValue(paymentId) is { } named
                    ? PublishOptions.Ids(named, number)
                    : Enumerable.Range(0, number).Select(_ => RandomId());
                var messages = ids.Select(id => new OutgoingMessage<PaymentRequested>(id, payment with { PaymentId = id }));
                return await Publication.RunAsync(parse, terminal, PaymentsCommands.Queue, messages, cancellationToken);
            }
        );
        return command;
    }

    // The options report what is wrong with each alone.
    private static void CheckAmount(CommandResult result, Option<decimal> amount, Option<string> currency)
    {
        var code = result.ValueOrDefault(currency) ?? PublishOptions.DefaultCurrency;
        if (
            result.ValueOrDefault(amount) is > 0 and var value
            && Currencies.Contains(code)
            && Currencies.Problem(value, code) is { } problem
        )
            result.AddError($"--amount {problem}.");
    }

    private static string RandomId() => "pay-" + RandomNumberGenerator.GetString(Alphabet, 10);
}
