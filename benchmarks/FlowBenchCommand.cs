using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary><c>sagas bench flow</c>.</summary>
internal static class FlowBenchCommand
{
    public static Command Create(Terminal terminal)
    {
        var payments = CommandOptions.NumberOption("--payments", "How many payments.", 10_000, 1_000_000);
        var command = BenchCommands.Create(
            terminal,
            "flow",
            "Payments per second whose customers come in random order, through both sagas, the gateway and the CRM, "
                + "and what each costs.",
            async (parse, quick, cancellationToken) =>
            {
                await using var postgres = await PrivatePostgres.StartAsync(cancellationToken: cancellationToken);
                await using var rabbitMq = await PrivateRabbitMq.StartAsync(cancellationToken);
                var benchmark = new FlowBenchmark(postgres, rabbitMq, terminal.Error.WriteLine);
                return await benchmark.MeasureAsync(quick ? 3_000 : parse.GetValue(payments), cancellationToken);
            },
            report =>
                [
                    ("Payments", report.Payments, ""),
                    ("Payments completed and customers synced", report.PaymentsPerSecond, "/s"),
                    ("Processor time a payment", report.CpuMsPerPayment, "ms"),
                    ("of services", report.ServicesCpuMs, "ms"),
                    ("of Postgres", report.PostgresCpuMs, "ms"),
                    ("of RabbitMQ", report.RabbitMqCpuMs, "ms"),
                    ("of the simulators", report.SimulatorsCpuMs, "ms"),
                    ("Transactions a payment", report.TransactionsPerPayment, ""),
                    ("Round trips to Postgres a payment", report.RoundTripsPerPayment, ""),
                ],
            "sagas bench flow --payments 50000"
        );
        command.Add(payments);
        return command;
    }
}
