using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Show;
using Sagas.Contracts;

namespace Sagas.Cli.Demo;

/// <summary>A payment that arrives before its customer.</summary>
/// <param name="system">What it happens in.</param>
/// <param name="narrator">Tells it.</param>
/// <param name="terminal">The clock and the tables.</param>
internal sealed class Scenario(DemoSystem system, Narrator narrator, Terminal terminal)
{
    /// <summary>The payment.</summary>
    public const string PaymentId = "invoice-8";

    private const string CustomerId = "ada";

    // Once in vain could be chance; twice is waiting.
    private const int AttemptsToSee = 2;

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _looksEvery = TimeSpan.FromMilliseconds(25);

    /// <summary>Plays it.</summary>
    /// <param name="stop">Ends it early.</param>
    /// <exception cref="CommandException">The payment did not do what it should.</exception>
    public async Task<DemoReport> RunAsync(CancellationToken stop)
    {
        narrator.Step($"A payment of customer {CustomerId} is asked for, whom nobody knows yet.");
        await system.Bus.Publish(new PaymentRequested(PaymentId, CustomerId, 12.34m, "EUR", terminal.Time.GetUtcNow()), stop);
        var waiting = await PaymentAsync(
            "waits for its customer",
            payment => payment.Attempts >= AttemptsToSee && payment.NextDueAt is not null,
            stop);
        var next = Display.FromNow(waiting.NextDueAt, terminal.Time.GetUtcNow());
        narrator.Result($"{PaymentId} is {waiting.State}: looked for {CustomerId} {waiting.Attempts} times in vain, next {next}.");

        narrator.Step($"The customer {CustomerId} registers.");
        var registered = terminal.Time.GetUtcNow();
        var customer = new CustomerRegistered(CustomerId, "Ada", "Lovelace", "ada@example.org", null, registered, "demo");
        await system.Bus.Publish(customer, stop);
        var completed = await PaymentAsync(
            "is completed and told to the world",
            payment => payment.State is "Completed" or "Failed" or "Expired" && payment.Messages.Count == 0,
            stop);
        if (completed is not { State: "Completed", FinishedAt: { } finished })
            throw new CommandException(ExitCode.Failed, $"{PaymentId} is {completed.State}: {completed.FailureReason}");

        var after = (long)(finished - registered).TotalMilliseconds;
        narrator.Result($"{PaymentId} is Completed {after} ms later; the gateway calls it {completed.GatewayReference}.");

        if (!narrator.Json)
        {
            narrator.Step("What the database remembers of it.");
            ShowPayment.Write(terminal, completed);
        }

        var told = await TellCrmAsync(customer, stop);
        return new DemoReport(
            PaymentId, CustomerId, waiting.Attempts, after, system.Postgres, system.RabbitMq, completed, told);
    }

    private async Task<CustomerRow> TellCrmAsync(CustomerRegistered customer, CancellationToken stop)
    {
        narrator.Step($"The CRM has been told of {CustomerId}, once. She changes her name, which is another call.");
        await system.Bus.Publish(customer with { LastName = "King", RegisteredAt = terminal.Time.GetUtcNow() }, stop);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(_patience);
        try
        {
            while (true)
            {
                if (await CustomerRow.FindAsync(system.Database, CustomerId, patience.Token) is [{ State: "Synced", Version: 2 } told])
                {
                    narrator.Result($"{CustomerId} is Synced: the CRM has version {told.SyncedVersion} of the data, {told.Name}.");
                    return told;
                }

                await Task.Delay(_looksEvery, terminal.Time, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new CommandException(ExitCode.Failed, $"After {_patience.TotalSeconds:N0} s the CRM still has not been told of {CustomerId}.");
        }
    }

    private async Task<PaymentDetails> PaymentAsync(string what, Predicate<PaymentDetails> condition, CancellationToken stop)
    {
        using var timeout = new CancellationTokenSource(_patience, terminal.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
        PaymentDetails? payment = null;
        try
        {
            while (true)
            {
                payment = await PaymentDetails.FindAsync(system.Database, PaymentId, terminal.Time.GetUtcNow(), either.Token) ?? payment;
                if (payment is not null && condition(payment))
                    return payment;
                await Task.Delay(_looksEvery, terminal.Time, either.Token);
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            var now = payment is null ? "is not in the database" : $"is {payment.State} after {payment.Attempts} attempts";
            throw new CommandException(
                ExitCode.Failed, $"After {_patience.TotalSeconds:N0} s {PaymentId} still {now}; expected: it {what}.");
        }
    }
}
