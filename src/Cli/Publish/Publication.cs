using System.CommandLine;
using System.Globalization;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Contracts;
using Sagas.Services;
using Sagas.Services.Messages;

namespace Sagas.Cli.Publish;

/// <summary>Publishes a command's messages and reports them.</summary>
internal static class Publication
{
    // More ids than fit a screen are of use to programs only, which ask for --json.
    private const int IdsShown = 10;

    /// <summary>Publishes and reports.</summary>
    public static async Task<int> RunAsync<T>(
        ParseResult parse,
        Terminal terminal,
        string queue,
        IEnumerable<OutgoingMessage<T>> source,
        CancellationToken cancellationToken
    )
        where T : class
    {
        var started = terminal.TimeProvider.GetTimestamp();
        // A million messages take a second or two to create; on another thread, so that Ctrl-C keeps working.
        var messages = await Task.Run(
            () => Checked(source, terminal).TakeWhile(_ => !cancellationToken.IsCancellationRequested).ToList(),
            cancellationToken
        );
        cancellationToken.ThrowIfCancellationRequested();
        await using (var broker = await BrokerConnection.ConnectAsync(Connections.RabbitMq(parse, terminal), cancellationToken))
            await new Publisher(broker, terminal).PublishAsync([queue], messages, cancellationToken);

        var took = terminal.TimeProvider.GetElapsedTime(started);
        if (parse.GetValue<bool>(CommandOptions.JsonName))
            terminal.WriteJson(new PublicationReport<T>(typeof(T).Name, messages.Count, (long)took.TotalMilliseconds, messages));
        else
            Report(terminal, messages, took);
        return ExitCode.Ok;
    }

    // By the rules of the services, where an invalid message would become a dead letter.
    private static IEnumerable<OutgoingMessage<T>> Checked<T>(IEnumerable<OutgoingMessage<T>> messages, Terminal terminal)
        where T : class
    {
        var rules = new MessageRules(Features.Product.MessageRules, new MessagesOptions(), terminal.TimeProvider);
        foreach (var message in messages)
        {
            try
            {
                rules.Check(message.Body);
            }
            catch (InvalidMessageException invalid)
            {
                throw new CommandException(ExitCode.Usage, $"Not published: {invalid.Message}", invalid);
            }

            yield return message;
        }
    }

    private static void Report<T>(Terminal terminal, IReadOnlyList<OutgoingMessage<T>> messages, TimeSpan took)
        where T : class
    {
        var name = typeof(T).Name;
        var invariant = CultureInfo.InvariantCulture;
        if (messages.Count > 1)
            terminal.Output.WriteLine(
                string.Create(invariant, $"Published {messages.Count:N0} × {name} in {took.TotalSeconds:0.0} s")
            );

        foreach (var message in messages.Take(IdsShown))
            terminal.Output.WriteLine($"{(messages.Count == 1 ? $"Published {name} " : "  ")}{Describe(message)}");
        if (messages.Count > IdsShown)
        {
            var more = string.Create(invariant, $"{messages.Count - IdsShown:N0}");
            terminal.Output.WriteLine($"  … and {more} more, to {messages[^1].Id} (all of them: --json)");
        }
    }

    private static string Describe<T>(OutgoingMessage<T> message)
        where T : class =>
        message.Body switch
        {
            PaymentRequested payment => string.Create(
                CultureInfo.InvariantCulture,
                $"{payment.PaymentId}: customer {payment.CustomerId} pays {payment.Amount} {payment.Currency}"
            ),
            CustomerRegistered { FirstName: not null } customer =>
                $"{customer.CustomerId}: {customer.FirstName} {customer.LastName}".TrimEnd(),
            AlarmStatusChanged alarm => $"{alarm.AlarmId}: {alarm.Status} for user {alarm.UserId} at {alarm.ChangedAt}",
            _ => message.Id,
        };
}

/// <summary>The output of <c>--json</c> for a publication.</summary>
/// <param name="Message">Name of the message.</param>
/// <param name="Count">How many were published and confirmed.</param>
/// <param name="TookMs">How long that took, connecting included.</param>
/// <param name="Messages">Each of them.</param>
internal sealed record PublicationReport<T>(string Message, int Count, long TookMs, IReadOnlyList<OutgoingMessage<T>> Messages)
    where T : class;
