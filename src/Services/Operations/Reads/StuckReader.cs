using Npgsql;
using Sagas.Services.Operations.Pages;

namespace Sagas.Services.Operations.Reads;

/// <summary>Reads what waits for longer than it should. Every statement reads the front of an index, at most
/// <see cref="MaxRows"/> entries of it.</summary>
public sealed class StuckReader(NpgsqlDataSource database, OverviewReader overview, TimeProvider timeProvider)
{
    private const int MaxRows = 500;
    private const int ShownPerGroup = 20;

    private const string PaymentsSql = """
        SELECT payment_id, customer_id, created_at, next_due_at, deadline_at FROM payment_state
        WHERE current_state = 'AwaitingCustomer' AND created_at < now() - interval '5 minutes'
        ORDER BY created_at LIMIT $1
        """;

    private const string ParkedSql = """
        SELECT target, idempotency_key, last_outcome, outcome_unknown, attempts, finished_at FROM outbound_call
        WHERE state = 'parked' ORDER BY finished_at LIMIT $1
        """;

    private const string LateSql = """
        SELECT target, idempotency_key, last_outcome, attempts, due, state FROM outbound_call
        WHERE target = ANY ($2) AND due < now() - interval '1 minute' ORDER BY due LIMIT $1
        """;

    private const string RetryingSql = """
        SELECT target, idempotency_key, last_outcome, attempts, due, created_at FROM outbound_call
        WHERE target = ANY ($2) AND due > now() AND due < now() + interval '1 day' AND state = 'waiting' AND attempts > 2
        ORDER BY due LIMIT $1
        """;

    private const string OutboxSql = """
        SELECT message_id, message_type, destination_address, enqueue_time, attempts, last_error FROM outbox_message
        WHERE outbox_id IS NULL AND position = 0 AND enqueue_time < now() - interval '30 seconds'
        ORDER BY enqueue_time LIMIT $1
        """;

    public async Task<StuckReport> ReadAsync(CancellationToken cancellationToken)
    {
        var all = await overview.ReadAsync(cancellationToken);
        var targets = all.Targets.Select(target => target.Target).ToArray();
        List<StuckThing> things =
        [
            .. all.Processes.Where(process => process.State == "missing").Select(Process),
            .. all.Targets.Where(target => target.State != "calling").Select(Target),
            .. all.Queues.Where(queue => queue.DeadLetters > 0).Select(DeadLetters),
            .. await database.RowsAsync(PaymentsSql, Payment, cancellationToken, MaxRows),
            .. await database.RowsAsync(ParkedSql, Parked, cancellationToken, MaxRows),
            .. await database.RowsAsync(LateSql, Late, cancellationToken, MaxRows, targets),
            .. await database.RowsAsync(RetryingSql, Retrying, cancellationToken, MaxRows, targets),
            .. await database.RowsAsync(OutboxSql, Message, cancellationToken, MaxRows),
        ];
        return new(timeProvider.GetUtcNow(), [.. things.GroupBy(thing => (thing.Kind, thing.Reason)).Select(Group).OrderBy(Age)]);
    }

    private static DateTimeOffset Age(StuckGroup group) => group.Oldest ?? DateTimeOffset.MaxValue;

    private static StuckGroup Group(IGrouping<(string Kind, string Reason), StuckThing> things)
    {
        var byAge = things.OrderBy(thing => thing.Since ?? DateTimeOffset.MaxValue).ToArray();
        return new(
            things.Key.Kind,
            things.Key.Reason,
            byAge.Length,
            byAge[0].Since,
            byAge[0].Help,
            [.. byAge.Take(ShownPerGroup)]
        );
    }

    private static StuckThing Process(ProcessOverview process) =>
        new(
            "process",
            process.Host,
            "/#processes",
            "A process is missing",
            process.HeartbeatAt,
            "its heartbeat",
            "a restart; other processes of its roles do its work meanwhile",
            $"Look for the container {process.Host} with the roles {process.Roles}."
        );

    private static StuckThing Target(TargetOverview target) =>
        new(
            "target",
            target.Target,
            "/targets",
            $"{target.Target} is not called: {target.State}",
            target.OldestDue,
            target.Reason ?? target.State,
            target.Until is { } until ? $"the end of the pause at {Show.Time(until)}" : "an operator",
            target.State == "disabled"
                ? "`sagas alerts retry` enables it, once its address is right."
                : "Resume it on the page Targets."
        );

    private static StuckThing DeadLetters(QueueDepth queue) =>
        new(
            "dead letters",
            queue.Queue,
            "/failures",
            $"{Show.Count(queue.DeadLetters)} dead letters of {queue.Queue}",
            null,
            "an operator",
            "a retry",
            "`sagas deadletters list` shows why, and `sagas deadletters retry` sends one again."
        );

    private static StuckThing Payment(NpgsqlDataReader row) =>
        new(
            "payment",
            row.Text("payment_id"),
            $"/payments/{Uri.EscapeDataString(row.Text("payment_id"))}",
            "The customer is not registered",
            row.Time("created_at"),
            $"customer {row.Text("customer_id")}",
            "the registration; "
                + (row.OptionalTime("next_due_at") is { } due ? $"it looks again at {Show.Time(due)}, " : "")
                + $"and expires at {Show.Time(row.Time("deadline_at"))}",
            "Ask the producer of registrations; or look whether the registration is a dead letter."
        );

    private static StuckThing Parked(NpgsqlDataReader row) =>
        new(
            "call",
            row.Text("idempotency_key"),
            CallLink(row),
            $"{row.Text("target")}: {row.OptionalText("last_outcome") ?? "parked"}",
            row.OptionalTime("finished_at"),
            row.Flag("outcome_unknown") ? "an operator who finds out whether it had its effect" : "an operator",
            "a retry",
            "Retry it on its page, or all of a reason on the page Failures."
        );

    private static StuckThing Late(NpgsqlDataReader row) =>
        new(
            "call",
            row.Text("idempotency_key"),
            CallLink(row),
            $"{row.Text("target")} does not keep up: due for more than a minute",
            row.Time("due"),
            row.Text("state") == "in_flight" ? "a process that died with it in flight" : "its turn",
            $"the next free call to {row.Text("target")}",
            "Look at the target: is it paused, slow, or is no process with its role running?"
        );

    private static StuckThing Retrying(NpgsqlDataReader row) =>
        new(
            "call",
            row.Text("idempotency_key"),
            CallLink(row),
            $"{row.Text("target")}: {row.OptionalText("last_outcome") ?? "it failed"}",
            row.Time("created_at"),
            $"attempt {row.Int("attempts") + 1}",
            $"its retry at {Show.Time(row.Time("due"))}",
            null
        );

    private static StuckThing Message(NpgsqlDataReader row) =>
        new(
            "message",
            row.Id("message_id").ToString("D"),
            "/#waiting",
            row.OptionalText("last_error") is { } error ? $"The broker does not take it: {error}" : "No relay sends it",
            row.Time("enqueue_time"),
            "RabbitMQ",
            "the relay, every 100 ms while RabbitMQ is available",
            "Is RabbitMQ reachable, and a process running?"
        );

    private static string CallLink(NpgsqlDataReader row) =>
        $"/calls/{Uri.EscapeDataString(row.Text("target"))}/{Uri.EscapeDataString(row.Text("idempotency_key"))}";
}
