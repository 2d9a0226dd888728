using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.LocalServers;
using Spectre.Console;

namespace Sagas.Benchmarks;

/// <summary>
/// <c>sagas bench</c>: each benchmark starts the servers it needs, measures against a baseline in the same run, and stops them.
/// </summary>
internal static class BenchCommands
{
    public static Command Outbox(Terminal terminal) =>
        Create(
            terminal,
            "outbox",
            "Sagas per second with and without outbox and by other means, the relay on a backlog, and what the servers can do.",
            async (_, quick, cancellationToken) =>
            {
                await using var postgres = await PrivatePostgres.StartAsync(cancellationToken: cancellationToken);
                await using var rabbitMq = await PrivateRabbitMq.StartAsync(cancellationToken);
                return await OutboxReport.MeasureAsync(postgres, rabbitMq, quick, terminal.Error.WriteLine, cancellationToken);
            },
            report =>
                [
                    ("Sagas without outbox", report.WithoutOutboxPerSecond, "/s"),
                    ("Sagas with outbox", report.WithOutboxPerSecond, "/s"),
                    ("Sagas with MassTransit's outbox in memory", report.InMemoryOutboxPerSecond, "/s"),
                    ("Messages by hand, a transaction each", report.ByHandPerSecond, "/s"),
                    ("With over without", report.Ratio, ""),
                    ("With over MassTransit's in memory", report.RatioToInMemoryOutbox, ""),
                    ("With over by hand", report.RatioToByHand, ""),
                    ("RabbitMQ's client alone, with confirms", report.BarePublishPerSecond, "/s"),
                    ("Relay, backlog of 100,000", report.RelayPerSecond, "rows/s"),
                    ("Relay over RabbitMQ's client alone", report.RelayRatioToBare, ""),
                    ("Relay, 1,000,000 waiting over 10,000", report.RelayRatioAtOneMillion, ""),
                    ("pgbench, the same statements", report.PgbenchPerSecond, "/s"),
                ]
        );

    public static Command Payments(Terminal terminal) =>
        Create(
            terminal,
            "payments",
            "How long after its customer's registration was consumed a waiting payment is completed.",
            (_, quick, cancellationToken) => PaymentsBenchmark.MeasureAsync(quick ? 200 : 1000, terminal, cancellationToken),
            report =>
                [
                    ("Payments woken", report.Payments, ""),
                    ("Median", report.WakeP50Ms, "ms"),
                    ("99 of 100 within", report.WakeP99Ms, "ms"),
                    ("Slowest", report.WakeMaxMs, "ms"),
                    ("All at once", report.WakesPerSecond, "/s"),
                    ("Median at half of that", report.HalfLoadP50Ms, "ms"),
                    ("99 of 100 within", report.HalfLoadP99Ms, "ms"),
                ]
        );

    public static Command Alarms(Terminal terminal) =>
        Create(
            terminal,
            "alarms",
            "Alarm changes per second through RabbitMQ, evenly spread and with half of them on one user, "
                + "and how long digests take under that load.",
            (_, quick, cancellationToken) => AlarmsBenchmark.MeasureAsync(quick, terminal, cancellationToken),
            report =>
                [
                    ("Changes", report.ChangesPerSecond, "/s"),
                    ("Changes, half of them on one user", report.ChangesPerSecondSkewed, "/s"),
                    ("Digest, median", report.DigestP50Ms, "ms"),
                    ("Digest, 99 of 100 within", report.DigestP99Ms, "ms"),
                ]
        );

    public static Command Crm(Terminal terminal) =>
        Create(
            terminal,
            "crm",
            "Delivery rate compared with what a CRM can take, with and without failures, and the highest rate without a limit.",
            (_, quick, cancellationToken) => CrmReport.MeasureAsync(terminal, quick, cancellationToken),
            report =>
                [
                    ("Rate over the CRM's ceiling of 1,000/s", report.CeilingRatio, ""),
                    ("With 20 % failures, over what is then possible", report.CeilingRatioWithFaults, ""),
                    ("Customers synced, 64 calls at once", report.PerSecond, "/s"),
                ]
        );

    public static Command Ingest(Terminal terminal)
    {
        var rows = CommandOptions.NumberOption("--rows", "How many customers the file has.", 1_000_000, 100_000_000);
        var command = Create(
            terminal,
            "ingest",
            "Seconds until all customers of a file are durable and queued for the CRM, "
                + "compared with a bare \\copy of the same file, and with one into the same columns and indexes.",
            async (parse, quick, cancellationToken) =>
            {
                await using var postgres = await PrivatePostgres.StartAsync(cancellationToken: cancellationToken);
                var benchmark = new IngestBenchmark(postgres, terminal.Error.WriteLine);
                return await benchmark.MeasureAsync(parse.GetValue(rows), quick ? 1 : 3, cancellationToken);
            },
            report =>
                [
                    ("Rows", report.Rows, ""),
                    ("Bare \\copy", report.CopySeconds, "s"),
                    ("\\copy with the same columns and indexes", report.IndexedCopySeconds, "s"),
                    ("Ingest", report.IngestSeconds, "s"),
                    ("Ingest over copy", report.TimesCopy, ""),
                    ("Ingest over copy with indexes", report.TimesIndexedCopy, ""),
                    ("Rows per second", report.RowsPerSecond, "/s"),
                    ("Largest working set", report.PeakMegabytes, "MiB"),
                ],
            "sagas bench ingest --rows 10000000 --json  # and the cost per row over that of a file of a million"
        );
        command.Add(rows);
        return command;
    }

    /// <summary>Creates the command of a benchmark.</summary>
    /// <param name="terminal">Takes the report.</param>
    /// <param name="name">The command's name.</param>
    /// <param name="description">What is measured.</param>
    /// <param name="measureAsync">Measures; the flag asks for a quick run.</param>
    /// <param name="rows">The rows of the report's table.</param>
    /// <param name="examples">Command lines beyond the two that every benchmark has.</param>
    internal static SagasCommand Create<TReport>(
        Terminal terminal,
        string name,
        string description,
        Func<ParseResult, bool, CancellationToken, Task<TReport>> measureAsync,
        Func<TReport, IReadOnlyList<(string What, double? Figure, string Unit)>> rows,
        params string[] examples
    )
        where TReport : notnull
    {
        var quick = new Option<bool>("--quick") { Description = "A first look in under a minute; its figures are rough." };
        var command = new SagasCommand(
            name,
            description,
            [$"sagas bench {name}", $"sagas bench {name} --quick --json", .. examples]
        );
        command.Add(quick);
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                RequireServers();
                var report = await measureAsync(parse, parse.GetValue(quick), cancellationToken);
                if (parse.GetValue<bool>(CommandOptions.JsonName))
                    terminal.WriteJson(report);
                else
                    terminal.Write(Table(rows(report)));
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static void RequireServers()
    {
        if (PrivatePostgres.IsInstalled && PrivateRabbitMq.IsInstalled)
            return;
        throw new CommandException(
            ExitCode.Failed,
            "Benchmarks start their own servers, and PostgreSQL or RabbitMQ is not installed: "
                + "`apt-get install postgresql rabbitmq-server` (they need not run)."
        );
    }

    private static Table Table(IReadOnlyList<(string What, double? Figure, string Unit)> rows)
    {
        var table = new Table()
            .Border(TableBorder.Simple)
            .AddColumn("")
            .AddColumn(new TableColumn("").RightAligned())
            .AddColumn("")
            .HideHeaders();
        foreach (var (what, figure, unit) in rows)
            table.AddRow(what, figure is { } number ? Text(number) : "not installed", unit);
        return table;
    }

    private static string Text(double figure) => figure.ToString(figure < 10 ? "0.00" : "N0", CultureInfo.InvariantCulture);
}
