using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Demo;

namespace Sagas.Benchmarks;

/// <summary>The result of <c>sagas bench alarms</c>.</summary>
/// <param name="ChangesPerSecond">Changes per second, of users chosen evenly; from the first one published to the last one
/// committed.</param>
/// <param name="ChangesPerSecondSkewed">The same with every second change on one user.</param>
/// <param name="DigestP50Ms">Milliseconds from a digest's request to its arrival under both loads; the median.</param>
/// <param name="DigestP99Ms">99 of 100 took no longer.</param>
/// <param name="Changes">How many changes each of the two loads was.</param>
/// <param name="Digests">How many digests were measured.</param>
internal sealed record AlarmsReport(
    double ChangesPerSecond,
    double ChangesPerSecondSkewed,
    double DigestP50Ms,
    double DigestP99Ms,
    int Changes,
    int Digests
);

/// <summary>
/// Changes as plain JSON through RabbitMQ, published while they are consumed, and at the same time digests of one user after the
/// other. Producer, broker, services, database and reader share the machine.
/// </summary>
internal sealed class AlarmsBenchmark(DemoSystem system, Terminal terminal)
{
    private const int Users = 10_000;
    private const int AlarmsPerUser = 10;
    private const int PublishBatchSize = 500;

    private const int RequestsPerOneOfTheBusiest = 50;

    // The producer's lead over the services at most: a backlog that a broker holds in memory.
    private const uint MaxBacklog = 10_000;

    private static readonly TimeSpan _betweenDigests = TimeSpan.FromMilliseconds(10);
    private static readonly DateTimeOffset _start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ConcurrentDictionary<string, long> _asked = new();
    private readonly ConcurrentBag<double> _latencies = [];
    private readonly Dictionary<(int User, int Alarm), long> _newest = [];
    private long _number;

    /// <summary>Measures.</summary>
    /// <param name="quick">Fewer changes.</param>
    /// <param name="terminal">Where progress is reported.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<AlarmsReport> MeasureAsync(bool quick, Terminal terminal, CancellationToken cancellationToken)
    {
        await using var system = await DemoSystem.StartAsync(
            new ConsoleReporter(terminal, json: true),
            inMemory: false,
            cancellationToken
        );
        var changes = quick ? 50_000 : 300_000;
        return await new AlarmsBenchmark(system, terminal).RunAsync(changes, cancellationToken);
    }

    private async Task<AlarmsReport> RunAsync(int changes, CancellationToken cancellationToken)
    {
        await using var connection = await new ConnectionFactory { Uri = system.RabbitMq! }.CreateConnectionAsync(
            cancellationToken
        );
        await ListenAsync(connection, cancellationToken);
        // The first changes warm up the JIT and create the rows.
        await LoadAsync(connection, changes / 3, skewed: false, cancellationToken);
        _latencies.Clear();
        var uniform = await LoadAsync(connection, changes, skewed: false, cancellationToken);
        await terminal.Error.WriteLineAsync($"{uniform:N0} changes/s, users chosen evenly");
        var skewed = await LoadAsync(connection, changes, skewed: true, cancellationToken);
        await terminal.Error.WriteLineAsync($"{skewed:N0} changes/s, every second one of one user");
        var latencies = _latencies.Order().ToArray();
        return new AlarmsReport(
            uniform,
            skewed,
            Percentile.Of(latencies, 0.5),
            Percentile.Of(latencies, 0.99),
            changes,
            latencies.Length
        );
    }

    private async Task<double> LoadAsync(IConnection connection, int changes, bool skewed, CancellationToken cancellationToken)
    {
        var bodies = Enumerable.Range(0, changes).Select(_ => Change(skewed)).ToArray();
        using var loaded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var clock = Stopwatch.StartNew();
        var asking = AskAsync(connection, loaded.Token);
        await PublishAsync(connection, bodies, cancellationToken);
        await ConsumedAsync(connection, cancellationToken);
        var perSecond = changes / clock.Elapsed.TotalSeconds;
        await loaded.CancelAsync();
        await asking;
        return perSecond;
    }

    private byte[] Change(bool skewed)
    {
        var number = ++_number;
        var user = skewed && number % 2 == 0 ? 0 : Random.Shared.Next(Users);
        var alarm = Random.Shared.Next(AlarmsPerUser);
        _newest[(user, alarm)] = number;
        var status =
            number % 5 == 0 ? "CLEARED"
            : number % 5 < 3 ? "WARNING"
            : "CRITICAL";
        var at = _start.AddTicks(number).ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff", CultureInfo.InvariantCulture);
        return Encoding.UTF8.GetBytes(
            $$"""{"AlarmID":"alarm-{{alarm}}","UserID":"user-{{user}}","Status":"{{status}}","ChangedAt":"{{at}}12Z"}"""
        );
    }

    private static async Task PublishAsync(IConnection connection, byte[][] bodies, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), cancellationToken);
        var properties = new BasicProperties { Persistent = true, ContentType = "application/json" };
        foreach (var batch in bodies.Chunk(PublishBatchSize))
        {
            while (await channel.MessageCountAsync("AlarmStatusChanged", cancellationToken) > MaxBacklog)
                await Task.Delay(1, cancellationToken);
            var confirms = new Task[batch.Length];
            for (var index = 0; index < confirms.Length; index++)
                confirms[index] = channel
                    .BasicPublishAsync("AlarmStatusChanged", "", mandatory: true, properties, batch[index], cancellationToken)
                    .AsTask();
            await Task.WhenAll(confirms);
        }
    }

    // The numbers of the newest changes reach the expected sum once all are committed, and not before.
    private async Task ConsumedAsync(IConnection connection, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        while (await channel.MessageCountAsync("AlarmStatusChanged", cancellationToken) > 0)
            await Task.Delay(1, cancellationToken);
        var expected = (decimal)_newest.Values.Sum();
        while (true)
        {
            await using var command = system.Database.Source.CreateCommand(
                "SELECT sum(floor((changed_at - $1) * 10000000)) FROM alarm"
            );
            command.Parameters.Add(new() { Value = (decimal)_start.ToUnixTimeSeconds() });
            if (await command.ExecuteScalarAsync(cancellationToken) is decimal sum && sum == expected)
                return;
            await Task.Delay(5, cancellationToken);
        }
    }

    private async Task AskAsync(IConnection connection, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(true, true),
            CancellationToken.None
        );
        var properties = new BasicProperties { Persistent = true, ContentType = "application/json" };
        using var timer = new PeriodicTimer(_betweenDigests);
        try
        {
            for (var number = 0; await timer.WaitForNextTickAsync(cancellationToken); number++)
            {
                // Sometimes the user of half of the changes.
                var user = $"user-{(number % RequestsPerOneOfTheBusiest == 0 ? 0 : number * 7919 % Users)}";
                _asked[user] = Stopwatch.GetTimestamp();
                var body = Encoding.UTF8.GetBytes($$"""{"UserID":"{{user}}"}""");
                await channel.BasicPublishAsync("SendAlarmDigest", "", mandatory: true, properties, body, CancellationToken.None);
            }
        }
        catch (OperationCanceledException)
        {
            // The load is over.
        }
    }

    private async Task ListenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            using var digest = JsonDocument.Parse(delivery.Body);
            if (_asked.TryRemove(digest.RootElement.GetProperty("UserID").GetString()!, out var asked))
                _latencies.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync("AlarmDigest", autoAck: true, consumer, cancellationToken);
    }
}
