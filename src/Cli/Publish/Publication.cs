using System.CommandLine;
using System.Globalization;
using Sagas.Cli.Broker;
using Sagas.Cli.CommandLine;
using Sagas.Contracts;

namespace Sagas.Cli.Publish;

/// <summary>Publishes what a command made, and says so.</summary>
internal static class Publication
{
    // More ids than a screen holds are of use to a program only, which asks for --json.
    private const int IdsShown = 10;

    /// <summary>Publishes and reports.</summary>
    /// <param name="parse">Says where the broker is, and whether the report is JSON.</param>
    /// <param name="terminal">Takes the report.</param>
    /// <param name="message">Name of the message and of its exchange.</param>
    /// <param name="queues">The queues that must exist.</param>
    /// <param name="source">What to publish.</param>
    /// <param name="stop">Stops between batches.</param>
    public static async Task RunAsync(
        ParseResult parse,
        Terminal terminal,
        string message,
        IReadOnlyList<string> queues,
        IEnumerable<OutgoingMessage> source,
        CancellationToken stop)
    {
        var started = terminal.Time.GetTimestamp();
        // A million takes a second or two to make; off this thread, Ctrl-C is heard meanwhile.
        var messages = await Task.Run(() => source.TakeWhile(_ => !stop.IsCancellationRequested).ToList(), stop);
        stop.ThrowIfCancellationRequested();
        await using (var broker = await BrokerConnection.ConnectAsync(Connections.RabbitMq(parse, terminal), stop))
            await new Publisher(broker, terminal).PublishAsync(message, queues, messages, stop);

        var took = terminal.Time.GetElapsedTime(started);
        if (parse.GetValue<bool>(CommandOptions.JsonName))
            terminal.WriteJson(new PublicationReport(message, messages.Count, (long)took.TotalMilliseconds, messages));
        else
            Tell(terminal, message, messages, took);
    }

    private static void Tell(Terminal terminal, string name, IReadOnlyList<OutgoingMessage> messages, TimeSpan took)
    {
        var invariant = CultureInfo.InvariantCulture;
        if (messages.Count > 1)
            terminal.Output.WriteLine(string.Create(invariant, $"Published {messages.Count:N0} × {name} in {took.TotalSeconds:0.0} s"));

        foreach (var message in messages.Take(IdsShown))
            terminal.Output.WriteLine($"{(messages.Count == 1 ? $"Published {name} " : "  ")}{Describe(message)}");
        if (messages.Count > IdsShown)
        {
            var more = string.Create(invariant, $"{messages.Count - IdsShown:N0}");
            terminal.Output.WriteLine($"  … and {more} more, to {messages[^1].Id} (all of them: --json)");
        }
    }

    private static string Describe(OutgoingMessage message) => message.Body switch
    {
        PaymentRequested payment => string.Create(
            CultureInfo.InvariantCulture,
            $"{payment.PaymentId}: customer {payment.CustomerId} pays {payment.Amount} {payment.Currency}"),
        CustomerRegistered { FirstName: not null } customer =>
            $"{customer.CustomerId}: {customer.FirstName} {customer.LastName}".TrimEnd(),
        AlarmStatusChanged alarm => $"{alarm.AlarmId}: {alarm.Status} for user {alarm.UserId} at {alarm.ChangedAt}",
        _ => message.Id,
    };
}

/// <summary>What <c>--json</c> says of a publication.</summary>
/// <param name="Message">Name of the message.</param>
/// <param name="Count">How many were published and confirmed.</param>
/// <param name="TookMs">How long that took, connecting included.</param>
/// <param name="Messages">Each of them.</param>
internal sealed record PublicationReport(string Message, int Count, long TookMs, IReadOnlyList<OutgoingMessage> Messages);
