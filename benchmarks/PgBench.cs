using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>
/// What Postgres alone can do: the statements of one saga, by PostgreSQL's own benchmark, without broker and .NET.
/// </summary>
internal static partial class PgBench
{
    // As many at once as the sagas' prefetch.
    private const int Clients = 64;

    // No colons in the texts: pgbench would read what follows one as a variable.
    private const string Saga = """
        BEGIN;
        SELECT correlation_id, current_state, amount, created_at, xmin
            FROM order_state WHERE correlation_id = (SELECT gen_random_uuid());
        INSERT INTO order_state VALUES (gen_random_uuid(), 'Accepted', 12.34, now());
        INSERT INTO inbox_state (message_id, consumer_id) VALUES (gen_random_uuid(), gen_random_uuid());
        INSERT INTO saga_transition (saga, correlation_id, to_state, event, message_id, conversation_id)
            VALUES ('order_state', gen_random_uuid(), 'Accepted', 'OrderSubmitted', gen_random_uuid(), gen_random_uuid());
        INSERT INTO outbox_message (message_id, outbox_id, batch_id, destination_address, message_type, content_type, body)
            VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), repeat('x', 60), repeat('x', 60),
                    'application/vnd.masstransit+json', repeat('x', 900)) RETURNING sequence_number \gset
        COMMIT;
        DELETE FROM outbox_message WHERE sequence_number = :sequence_number;
        """;

    /// <summary>Runs the transaction for a while.</summary>
    /// <returns>Transactions per second; null when pgbench is not installed.</returns>
    public static async Task<double?> MeasureAsync(string postgres, TimeSpan duration, CancellationToken cancellationToken)
    {
        if (ServerPrograms.FindPostgres("pgbench") is not { } pgbench)
            return null;
        var directory = Directory.CreateTempSubdirectory("sagas-pgbench-").FullName;
        try
        {
            var script = Path.Combine(directory, "saga.sql");
            await File.WriteAllTextAsync(script, Saga, cancellationToken);
            var target = new NpgsqlConnectionStringBuilder(postgres);
            var output = await ServerCommand.RunAsync(
                [
                    pgbench,
                    "-n",
                    "-M",
                    "prepared",
                    "-c",
                    Text(Clients),
                    "-j",
                    Text(Environment.ProcessorCount),
                    "-T",
                    Text((int)duration.TotalSeconds),
                    "-f",
                    script,
                    "-h",
                    target.Host!,
                    "-p",
                    Text(target.Port),
                    "-U",
                    target.Username!,
                    target.Database!,
                ],
                directory,
                new ServerEnvironment([], new Dictionary<string, string> { ["PGPASSWORD"] = target.Password ?? "" }),
                cancellationToken
            );
            return double.Parse(PerSecond().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"tps = ([\d.]+)")]
    private static partial Regex PerSecond();
}
