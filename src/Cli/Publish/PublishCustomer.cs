using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Contracts;

namespace Sagas.Cli.Publish;

/// <summary><c>sagas publish customer</c>, in short <c>sagas c</c>.</summary>
internal static class PublishCustomer
{
    private static readonly string[] _queues = ["customer-saga"];

    public static Command Create(string name, Terminal terminal)
    {
        var id = CommandOptions.IdArgument("id", "The customer's id.");
        var fullName = CommandOptions.TextOption("--name", "First and last name; the last word is the last name.");
        var email = CommandOptions.TextOption("--email", "E-mail address.");
        var phone = CommandOptions.TextOption("--phone", "Telephone number.");
        var registeredAt = PublishOptions.RegisteredAt(terminal.Time);
        var count = PublishOptions.Count("Publish that many customers, <id>-1 to <id>-N.");
        var start = name.Length == 1 ? $"sagas {name}" : $"sagas publish {name}";
        var command = new SagasCommand(
            name,
            "Publish CustomerRegistered: a customer became known, or their data changed."
            + (name.Length == 1 ? " Short for `publish customer`." : ""),
            $"{start} 4711 --name \"Ada Lovelace\" --email ada@example.org --phone \"+44 20 7946 0000\"",
            $"{start} 4711 --name \"Ada King\" --registered-at 2026-05-01T12:00:00Z",
            $"{start} load --count 10000  # load-1 to load-10000")
        {
            id, fullName, email, phone, registeredAt, count, CommandOptions.RabbitMq(),
        };
        command.SetAction(async (parse, stop) =>
        {
            var (first, last) = Split(parse.GetValue(fullName));
            var customer = new CustomerRegistered(
                "",
                first,
                last,
                parse.GetValue(email),
                parse.GetValue(phone),
                parse.GetValue(registeredAt) ?? terminal.Time.GetUtcNow(),
                "sagas");
            var messages = PublishOptions.Ids(parse.GetRequiredValue(id), parse.GetValue(count))
                .Select(customerId => new OutgoingMessage(customerId, customer with { CustomerId = customerId }));
            await Publication.RunAsync(parse, terminal, nameof(CustomerRegistered), _queues, messages, stop);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Splits a name at its last space.</summary>
    internal static (string? First, string? Last) Split(string? name)
    {
        var words = name?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return words switch
        {
            [] => (null, null),
            [var only] => (only, null),
            [.. var first, var last] => (string.Join(' ', first), last),
        };
    }
}
