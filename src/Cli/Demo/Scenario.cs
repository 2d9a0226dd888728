using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Cli.Payments;
using Sagas.Contracts;

namespace Sagas.Cli.Demo;

/// <summary>A payment that arrives before its customer.</summary>
/// <param name="system">The servers and services.</param>
/// <param name="reporter">Reports it.</param>
/// <param name="terminal">The clock and the tables.</param>
internal sealed class Scenario(DemoSystem system, ConsoleReporter reporter, Terminal terminal)
{
    /// <summary>The payment.</summary>
    public const string PaymentId = "invoice-8";

    private const string CustomerId = "ada";

    // Shows that the payment keeps looking for its customer.
    private const int MinAttempts = 2;

    private static readonly TimeSpan _timeout = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(25);

    /// <summary>Runs it.</summary>
    /// <exception cref="CommandException">The payment did not reach the expected state.</exception>
    public async Task<DemoReport> RunAsync(CancellationToken cancellationToken)
    {
        reporter.Step($"A payment of customer {CustomerId} is requested before the customer registers.");
        await system.Bus.Publish(
            new PaymentRequested(PaymentId, CustomerId, 12.34m, "EUR", terminal.TimeProvider.GetUtcNow()),
            cancellationToken
        );
        var waiting = await PaymentAsync(
            "waits for its customer",
            payment => payment.Attempts >= MinAttempts && payment.NextDueAt is not null,
            cancellationToken
        );
        var next = Format.FromNow(waiting.NextDueAt, terminal.TimeProvider.GetUtcNow());
        reporter.Result($"{PaymentId} is {waiting.State}: it looked for {CustomerId} {waiting.Attempts} times; next {next}.");

        reporter.Step($"The customer {CustomerId} registers.");
        var registered = terminal.TimeProvider.GetUtcNow();
        var customer = new CustomerRegistered(CustomerId, "Ada", "Lovelace", "ada@example.org", null, registered, "demo");
        await system.Bus.Publish(customer, cancellationToken);
        var completed = await PaymentAsync(
            "is completed and its event is published",
            payment => payment.State is "Completed" or "Failed" or "Expired" && payment.Messages.Count == 0,
            cancellationToken
        );
        if (completed is not { State: "Completed", FinishedAt: { } finished })
            throw new CommandException(ExitCode.Failed, $"{PaymentId} is {completed.State}: {completed.FailureReason}");

        var after = (long)(finished - registered).TotalMilliseconds;
        reporter.Result($"{PaymentId} is Completed {after} ms later; the gateway calls it {completed.GatewayReference}.");

        if (!reporter.Json)
        {
            reporter.Step("The database has its history.");
            ShowPayment.Write(terminal, completed);
        }

        var synced = await ChangeNameAsync(customer, cancellationToken);
        return new DemoReport(
            PaymentId,
            CustomerId,
            waiting.Attempts,
            after,
            system.Postgres,
            system.RabbitMq,
            completed,
            synced
        );
    }

    private async Task<CustomerRow> ChangeNameAsync(CustomerRegistered customer, CancellationToken cancellationToken)
    {
        reporter.Step($"The CRM has customer {CustomerId}, by one call. She changes her name, which is another call.");
        await system.Bus.Publish(
            customer with
            {
                LastName = "King",
                RegisteredAt = terminal.TimeProvider.GetUtcNow(),
            },
            cancellationToken
        );
        using var expiry = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        expiry.CancelAfter(_timeout);
        try
        {
            while (true)
            {
                var found = await CustomerRow.FindAsync(system.Database, CustomerId, expiry.Token);
                if (found is [{ State: "Synced", Version: 2 } synced])
                {
                    reporter.Result(
                        $"{CustomerId} is Synced: the CRM has version {synced.SyncedVersion} of the data, {synced.Name}."
                    );
                    return synced;
                }

                await Task.Delay(_pollInterval, terminal.TimeProvider, expiry.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"After {_timeout.TotalSeconds:N0} s the CRM does not have customer {CustomerId}."
            );
        }
    }

    private async Task<PaymentDetails> PaymentAsync(
        string what,
        Predicate<PaymentDetails> condition,
        CancellationToken cancellationToken
    )
    {
        using var timeout = new CancellationTokenSource(_timeout, terminal.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        PaymentDetails? payment = null;
        try
        {
            while (true)
            {
                payment = await PaymentDetails.FindAsync(system.Database, PaymentId, either.Token) ?? payment;
                if (payment is not null && condition(payment))
                    return payment;
                await Task.Delay(_pollInterval, terminal.TimeProvider, either.Token);
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var now = payment is null ? "is not in the database" : $"is {payment.State} after {payment.Attempts} attempts";
            throw new CommandException(
                ExitCode.Failed,
                $"After {_timeout.TotalSeconds:N0} s {PaymentId} still {now}; expected: it {what}."
            );
        }
    }
}
