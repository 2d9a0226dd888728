using System.Globalization;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Payments;

/// <summary>Compares, row by row, what was requested with what the services, the gateway and the listeners have.</summary>
internal sealed class Audit(RunningSystem system, Workload workload)
{
    private const int MistakesShown = 15;
    private readonly List<string> _mistakes = [];

    /// <summary>Duplicates of events: the same message, delivered more than once.</summary>
    public int RepeatedEvents { get; private set; }

    /// <summary>Calls that took more than one attempt.</summary>
    public long RetriedCalls { get; private set; }

    /// <exception cref="Xunit.Sdk.XunitException">The books do not balance.</exception>
    public async Task BalancesAsync()
    {
        var gateway = await GatewayBooks.ReadAsync(system);
        var events = (await PaymentEvents.ReadAsync(system.RabbitMq)).ToLookup(payment => payment.PaymentId);
        var rows = await RowsAsync();
        foreach (var order in workload.Orders)
        {
            var expected = order.IsDeclined ? "Failed" : "Completed";
            var entry = gateway.GetValueOrDefault(order.Key);
            Compare(order, "request at the gateway", entry?.Order, order);
            Compare(order, "charges at the gateway", entry?.Effects, order.IsDeclined ? 0 : 1);
            Compare(order, "declines at the gateway", entry?.Declines, order.IsDeclined ? 1 : 0);
            var row = rows.GetValueOrDefault(order.PaymentId);
            Compare(order, "state", row?.State, expected);
            Compare(order, "gateway reference", row?.Reference, entry?.Reference);
            Compare(order, "amount", row?.Amount, order.Amount);
            CheckEvents(order, "Payment" + expected, row?.Reference, [.. events[order.PaymentId]]);
        }

        Compare(null, "payments at the gateway", gateway.Count, workload.Orders.Count);
        Compare(null, "payments", rows.Count, workload.Orders.Count);
        Compare(null, "payments with events", events.Count, workload.Orders.Count);
        await CheckTablesAsync();
        await CheckSummaryAsync();
        Assert.True(
            _mistakes.Count == 0,
            string.Create(
                CultureInfo.InvariantCulture,
                $"The books do not balance, {_mistakes.Count:N0} mistakes:\n{string.Join('\n', _mistakes.Take(MistakesShown))}"
            )
        );
    }

    private void CheckEvents(Order order, string type, string? reference, PaymentEvent[] events)
    {
        Compare(order, "events", events.Select(message => message.MessageId).Distinct().Count(), 1);
        foreach (var message in events)
        {
            Compare(order, "event", message.Type, type);
            Compare(order, "reference in its event", message.GatewayReference, reference);
        }

        RepeatedEvents += Math.Max(0, events.Length - 1);
    }

    private async Task CheckTablesAsync()
    {
        var customers = await system.QueryAsync<long>("SELECT count(*) FROM customer_state WHERE customer_id LIKE 'c-%'");
        Compare(null, "customers", customers, workload.Customers);
        var calls = await system.QueryAsync<long>("SELECT count(*) FROM outbound_call WHERE target = 'payment-gateway'");
        Compare(null, "outbound calls", calls, workload.Orders.Count);
        Compare(null, "rows left in the outbox", await system.QueryAsync<long>("SELECT count(*) FROM outbox_message"), 0);
        var finished = await system.QueryAsync<long>(
            "SELECT count(*) FROM saga_transition WHERE from_state = 'Processing' AND to_state IN ('Completed', 'Failed')"
        );
        Compare(null, "transitions to a final state", finished, workload.Orders.Count);
        RetriedCalls = await system.QueryAsync<long>(
            "SELECT count(*) FROM outbound_call WHERE target = 'payment-gateway' AND attempts > 1"
        );
    }

    private async Task CheckSummaryAsync()
    {
        var summary = await system.SummaryAsync();
        foreach (var name in (string[])["duplicateEffects", "duplicatePayments", "rejected"])
            Compare(null, $"{name} at the gateway", summary.GetProperty(name).GetInt64(), 0);
    }

    private async Task<Dictionary<string, (string State, decimal Amount, string? Reference)?>> RowsAsync()
    {
        var rows = new Dictionary<string, (string, decimal, string?)?>();
        await using var command = system.Database.CreateCommand(
            "SELECT payment_id, current_state, amount, gateway_reference FROM payment_state"
        );
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var reference = await reader.IsDBNullAsync(3) ? null : reader.GetString(3);
            rows[reader.GetString(0)] = (reader.GetString(1), reader.GetDecimal(2), reference);
        }

        return rows;
    }

    private void Compare<T>(Order? order, string what, T? found, T? expected)
    {
        if (!Equals(found, expected))
        {
            var (seen, wanted) = (found?.ToString() ?? "none", expected?.ToString() ?? "none");
            _mistakes.Add($"{order?.PaymentId ?? "all"}: {what}: {seen} instead of {wanted}");
        }
    }

    private void Compare(Order? order, string what, long? found, long expected) => Compare<long?>(order, what, found, expected);
}
