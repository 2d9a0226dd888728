using System.CommandLine;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Publish;
using Sagas.Contracts;

namespace Sagas.Cli.Customers;

/// <summary><c>sagas customers publish</c>, in short <c>sagas c</c>.</summary>
internal static class PublishCustomer
{
    public static Command Create(string name, Terminal terminal)
    {
        var id = CommandOptions.IdArgument("id", "The customer's id.");
        var fullName = CommandOptions.TextOption("--name", "First and last name; the last word is the last name.");
        var email = CommandOptions.TextOption("--email", "E-mail address.");
        var phone = CommandOptions.TextOption("--phone", "Telephone number.");
        var registeredAt = PublishOptions.RegisteredAt(terminal.TimeProvider);
        var count = PublishOptions.Count("Publish that many customers, <id>-1 to <id>-N.");
        var start = name.Length == 1 ? $"sagas {name}" : $"sagas customers {name}";
        var command = new SagasCommand(
            name,
            (name.Length == 1 ? "Short for `customers publish`. " : "")
                + "Publish CustomerRegistered: a customer registered, or their data changed.",
            $"{start} 4711 --name \"Ada Lovelace\" --email ada@example.org --phone \"+44 20 7946 0000\"",
            $"{start} 4711 --name \"Ada King\" --registered-at 2026-05-01T12:00:00Z",
            $"{start} load --count 10000  # load-1 to load-10000"
        )
        {
            id,
            fullName,
            email,
            phone,
            registeredAt,
            count,
            CommandOptions.RabbitMq(),
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var (first, last) = Split(parse.GetValue(fullName));
                var customer = new CustomerRegistered(
                    "",
                    first,
                    last,
                    parse.GetValue(email),
                    parse.GetValue(phone),
                    parse.GetValue(registeredAt) ?? terminal.TimeProvider.GetUtcNow(),
                    "sagas"
                );
                var messages = PublishOptions
                    .Ids(parse.GetRequiredValue(id), parse.GetValue(count))
                    .Select(each => new OutgoingMessage<CustomerRegistered>(each, customer with { CustomerId = each }));
                return await Publication.RunAsync(parse, terminal, CustomersCommands.Queue, messages, cancellationToken);
            }
        );
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
