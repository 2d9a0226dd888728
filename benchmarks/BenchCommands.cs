using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.LocalServers;
using Spectre.Console;

namespace Sagas.Benchmarks;

/// <summary><c>sagas bench</c>: each benchmark starts the servers it needs, measures against a baseline in the same run, and stops them.</summary>
internal static class BenchCommands
{
    public static Command Outbox(Terminal terminal)
    {
        var quick = Quick();
        var command = new SagasCommand(
            "outbox",
            "Sagas per second with and without outbox, the relay on a backlog, and what Postgres alone can do.",
            "sagas bench outbox",
            "sagas bench outbox --quick --json"
        )
        {
            quick,
        };
        command.SetAction(
            async (parse, stop) =>
            {
                RequireServers();
                await using var postgres = await PrivatePostgres.StartAsync(stop);
                await using var rabbitMq = await PrivateRabbitMq.StartAsync(stop);
                var report = await OutboxReport.MeasureAsync(
                    postgres,
                    rabbitMq,
                    parse.GetValue(quick),
                    terminal.Error.WriteLine,
                    stop
                );
                Write(
                    parse,
                    terminal,
                    report,
                    ("Sagas without outbox", report.WithoutOutboxPerSecond, "/s"),
                    ("Sagas with outbox", report.WithOutboxPerSecond, "/s"),
                    ("With over without", report.Ratio, ""),
                    ("Relay, backlog of 100,000", report.RelayPerSecond, "rows/s"),
                    ("Relay, 1,000,000 waiting over 10,000", report.RelayRatioAtOneMillion, ""),
                    ("pgbench, the same statements", report.PgbenchPerSecond, "/s")
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    public static Command Payments(Terminal terminal)
    {
        var quick = Quick();
        var command = new SagasCommand(
            "payments",
            "How long after its customer's registration was consumed a waiting payment is completed.",
            "sagas bench payments",
            "sagas bench payments --quick --json"
        )
        {
            quick,
        };
        command.SetAction(
            async (parse, stop) =>
            {
                RequireServers();
                var report = await PaymentsBenchmark.MeasureAsync(parse.GetValue(quick) ? 200 : 1000, terminal, stop);
                Write(
                    parse,
                    terminal,
                    report,
                    ("Payments woken", report.Payments, ""),
                    ("Median", report.WakeP50Ms, "ms"),
                    ("99 of 100 within", report.WakeP99Ms, "ms"),
                    ("Slowest", report.WakeMaxMs, "ms")
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    public static Command Alarms(Terminal terminal)
    {
        var quick = Quick();
        var command = new SagasCommand(
            "alarms",
            "Alarm changes per second through RabbitMQ, evenly and with half of them on one user, and how long digests take meanwhile.",
            "sagas bench alarms",
            "sagas bench alarms --quick --json"
        )
        {
            quick,
        };
        command.SetAction(
            async (parse, stop) =>
            {
                RequireServers();
                var report = await AlarmsBenchmark.MeasureAsync(parse.GetValue(quick), terminal, stop);
                Write(
                    parse,
                    terminal,
                    report,
                    ("Changes", report.ChangesPerSecond, "/s"),
                    ("Changes, half of them on one user", report.ChangesPerSecondSkewed, "/s"),
                    ("Digest, median", report.DigestP50Ms, "ms"),
                    ("Digest, 99 of 100 within", report.DigestP99Ms, "ms")
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    public static Command Crm(Terminal terminal)
    {
        var quick = Quick();
        var command = new SagasCommand(
            "crm",
            "How near delivery comes to what a CRM bears, with and without failures, and how fast it can be.",
            "sagas bench crm",
            "sagas bench crm --quick --json"
        )
        {
            quick,
        };
        command.SetAction(
            async (parse, stop) =>
            {
                RequireServers();
                var report = await CrmReport.MeasureAsync(terminal, parse.GetValue(quick), stop);
                Write(
                    parse,
                    terminal,
                    report,
                    ("Rate over the CRM's ceiling of 1,000/s", report.CeilingRatio, ""),
                    ("With 20 % failures, over what is then possible", report.CeilingRatioWithFaults, ""),
                    ("Customers synced, 64 calls at once", report.PerSecond, "/s")
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    public static Command Ingest(Terminal terminal)
    {
        var quick = Quick();
        var rows = CommandOptions.NumberOption("--rows", "How many customers the file has.", 1_000_000, 100_000_000);
        var command = new SagasCommand(
            "ingest",
            "Seconds until all customers of a file are durable and queued for the CRM, over those of a bare \\copy of the same file.",
            "sagas bench ingest",
            "sagas bench ingest --rows 10000000 --json  # and the cost per row over that of a file of a million",
            "sagas bench ingest --quick"
        )
        {
            rows,
            quick,
        };
        command.SetAction(
            async (parse, stop) =>
            {
                RequireServers();
                await using var postgres = await PrivatePostgres.StartAsync(stop);
                var benchmark = new IngestBenchmark(postgres, terminal.Error.WriteLine);
                var report = await benchmark.MeasureAsync(parse.GetValue(rows), parse.GetValue(quick) ? 1 : 3, stop);
                Write(
                    parse,
                    terminal,
                    report,
                    ("Rows", report.Rows, ""),
                    ("Bare \\copy", report.CopySeconds, "s"),
                    ("Ingest", report.IngestSeconds, "s"),
                    ("Ingest over copy", report.TimesCopy, ""),
                    ("Rows per second", report.RowsPerSecond, "/s"),
                    ("Largest working set", report.PeakMegabytes, "MiB")
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    internal static Option<bool> Quick() =>
        new("--quick") { Description = "A first look in under a minute; its figures are rough." };

    internal static void RequireServers()
    {
        if (!PrivatePostgres.IsInstalled || !PrivateRabbitMq.IsInstalled)
        {
            throw new CommandException(
                ExitCode.Failed,
                "Benchmarks start servers of their own, and PostgreSQL or RabbitMQ is not installed: `apt-get install postgresql rabbitmq-server` (they need not run)."
            );
        }
    }

    internal static void Write(
        ParseResult parse,
        Terminal terminal,
        object report,
        params (string What, double? Figure, string Unit)[] rows
    )
    {
        if (parse.GetValue<bool>(CommandOptions.JsonName))
        {
            terminal.WriteJson(report);
            return;
        }

        var table = new Table()
            .Border(TableBorder.Simple)
            .AddColumn("")
            .AddColumn(new TableColumn("").RightAligned())
            .AddColumn("")
            .HideHeaders();
        foreach (var (what, figure, unit) in rows)
            table.AddRow(
                what,
                figure is null
                    ? "not installed"
                    : figure.Value.ToString(figure < 10 ? "0.00" : "N0", CultureInfo.InvariantCulture),
                unit
            );
        terminal.Write(table);
    }
}
