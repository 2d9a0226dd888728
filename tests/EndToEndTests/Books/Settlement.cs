using System.Diagnostics;
using System.Globalization;
using System.Text;
using Npgsql;
using RabbitMQ.Client.Exceptions;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Books;

/// <summary>Waits until nothing is under way any more, and tells what is stuck when that does not happen.</summary>
internal sealed class Settlement(RunningSystem system, Workload workload)
{
    private static readonly string[] _queues = ["customer-saga", "payment-saga", "process-payment"];
    private static readonly TimeSpan _betweenLooks = TimeSpan.FromMilliseconds(200);

    private const string Open =
        """
        SELECT (SELECT count(*) FROM payment_state WHERE current_state NOT IN ('Completed', 'Failed'))
             + (SELECT count(*) FROM ledger WHERE state NOT IN ('done', 'failed'))
             + (SELECT count(*) FROM outbox_message)
        """;

    private const string Known = "SELECT (SELECT count(*) FROM customer_state) + (SELECT count(*) FROM payment_state)";

    /// <summary>Waits until everything has come to its end.</summary>
    /// <param name="patience">How long.</param>
    /// <exception cref="Xunit.Sdk.XunitException">Something is stuck; the message says what.</exception>
    public async Task SettledAsync(TimeSpan patience)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await IsSettledAsync())
        {
            if (Stopwatch.GetElapsedTime(started) > patience)
                Assert.Fail($"Not everything came to its end within {patience.TotalSeconds:0} s of the last disturbance.\n{await DescribeAsync()}");
            await Task.Delay(_betweenLooks);
        }
    }

    /// <summary>Checks that the services' queues and error queues are empty.</summary>
    public async Task QueuesAreEmptyAsync()
    {
        await using var connection = await Broker.ConnectAsync(system.RabbitMq);
        var found = new List<string>();
        foreach (var queue in _queues)
        {
            if (await Broker.CountAsync(connection, queue) is var count and not 0)
                found.Add($"{queue}: {count?.ToString(CultureInfo.InvariantCulture) ?? "does not exist"}");
            foreach (var suffix in (string[])["_error", "_skipped"])
                found.AddRange(await Broker.PeekAsync(connection, queue + suffix, 10));
        }

        Assert.True(found.Count == 0, $"Messages are left in queues:\n{string.Join('\n', found)}");
    }

    /// <summary>Where everything is.</summary>
    public async Task<string> DescribeAsync()
    {
        var text = new StringBuilder();
        await SectionAsync("payments", "SELECT current_state, count(*), min(payment_id), max(updated_at) FROM payment_state GROUP BY 1");
        await SectionAsync("customers", "SELECT current_state, count(*) FROM customer_state GROUP BY 1");
        await SectionAsync("open payments", "SELECT payment_id, current_state, attempts, next_due_at, updated_at FROM payment_state WHERE current_state NOT IN ('Completed', 'Failed') ORDER BY updated_at LIMIT 10");
        await SectionAsync("ledger", "SELECT state, count(*), max(attempts), min(due), max(last_outcome) FROM ledger GROUP BY 1");
        await SectionAsync("open calls", "SELECT idempotency_key, state, attempts, due, may_have_happened, last_outcome FROM ledger WHERE state NOT IN ('done', 'failed') ORDER BY due LIMIT 10");
        await SectionAsync("outbox", "SELECT message_type, outbox_id, position, count(*), min(enqueue_time), max(attempts), max(last_error) FROM outbox_message GROUP BY 1, 2, 3");
        await SectionAsync("processes", "SELECT outbox_id, process_id, started, renewed, now() FROM outbox_state");
        await SectionAsync("locks held longest", "SELECT pid, application_name, state, now() - xact_start, left(query, 100) FROM pg_stat_activity WHERE xact_start < now() - interval '2 seconds' ORDER BY xact_start LIMIT 10");
        await QueuesAsync(text);
        text.AppendLine(CultureInfo.InvariantCulture, $"-- gateway: {await system.SummaryAsync()}");
        foreach (var service in system.Services)
            text.AppendLine(CultureInfo.InvariantCulture, $"-- {service.Name}{(service.Ended.IsCompleted ? $", ended with {await service.Ended}" : "")}:\n{service.LastLines(25)}");
        return text.ToString();

        async Task SectionAsync(string name, string sql)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"-- {name}");
            try
            {
                foreach (var line in await system.LinesAsync(sql))
                    text.AppendLine(line);
            }
            catch (NpgsqlException e)
            {
                text.AppendLine(e.Message);
            }
        }
    }

    private async Task<bool> IsSettledAsync()
    {
        try
        {
            if (await system.QueryAsync<long>(Known) != workload.Customers + workload.Orders.Count || await system.QueryAsync<long>(Open) != 0)
                return false;
            await using var connection = await Broker.ConnectAsync(system.RabbitMq);
            foreach (var queue in _queues)
            {
                if (await Broker.CountAsync(connection, queue) is not 0)
                    return false;
            }

            return true;
        }
        catch (Exception e) when (e is NpgsqlException or BrokerUnreachableException or RabbitMQClientException or IOException)
        {
            return false;
        }
    }

    private async Task QueuesAsync(StringBuilder text)
    {
        text.AppendLine("-- queues");
        try
        {
            await using var connection = await Broker.ConnectAsync(system.RabbitMq);
            foreach (var queue in _queues.SelectMany(queue => (string[])[queue, queue + "_error", queue + "_skipped"]))
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"{queue}: {await Broker.CountAsync(connection, queue)}");
                if (!_queues.Contains(queue))
                    text.AppendJoin('\n', await Broker.PeekAsync(connection, queue, 10));
            }
        }
        catch (BrokerUnreachableException e)
        {
            text.AppendLine(e.Message);
        }
    }
}
