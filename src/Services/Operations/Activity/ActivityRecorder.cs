using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Sagas.OutboundCalls;
using Sagas.Services.Modules;

namespace Sagas.Services.Operations.Activity;

/// <summary>
/// Writes what this process does to <c>activity</c> and <c>process</c>, so that a dashboard need not count tables. It listens to
/// the instruments that there are, and costs no message anything.
/// </summary>
internal sealed partial class ActivityRecorder(
    NpgsqlDataSource database,
    RoleSet roles,
    IServiceProvider services,
    TimeProvider timeProvider,
    ILogger<ActivityRecorder> logger
) : BackgroundService
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(5);

    private const string HeartbeatSql = """
        INSERT INTO process (process_id, host_name, roles, version, targets) VALUES ($1, $2, $3, $4, $5::jsonb)
        ON CONFLICT (process_id) DO UPDATE SET heartbeat_at = now(), targets = excluded.targets
        """;

    private const string ActivitySql = """
        INSERT INTO activity AS a (minute, name, process_id, count)
        SELECT date_trunc('minute', now()), name, $1, count FROM unnest($2::text[], $3::bigint[]) AS t (name, count)
        ON CONFLICT (minute, name, process_id) DO UPDATE SET count = a.count + excluded.count
        """;

    private readonly Guid _process = Guid.CreateVersion7();
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    private static string Version =>
        typeof(ActivityRecorder)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0]
        ?? "";

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await WriteAsync(cancellationToken);
            await ExecuteAsync("UPDATE process SET stopped_at = now() WHERE process_id = $1", cancellationToken, _process);
        }
        catch (Exception exception)
        {
            // It looks killed then, until its row is removed.
            LogFailed(exception.GetBaseException().Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = Listen();
        using var timer = new PeriodicTimer(_interval, timeProvider);
        do
        {
            try
            {
                await WriteAsync(stoppingToken);
            }
            // Any exception: what was counted is written the next time.
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception.GetBaseException().Message);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private MeterListener Listen()
    {
        var listener = new MeterListener { InstrumentPublished = Published };
        listener.SetMeasurementEventCallback<long>((instrument, count, tags, _) => Count(instrument, count, tags));
        listener.Start();
        return listener;
    }

    private static void Published(Instrument instrument, MeterListener listener)
    {
        if (
            (instrument.Meter.Name, instrument.Name)
            is
                ("MassTransit", "messaging.masstransit.consume" or "messaging.masstransit.saga")
                or
                ("Sagas", "sagas.outbound_calls.completed")
        )
            listener.EnableMeasurementEvents(instrument);
    }

    private void Count(Instrument instrument, long count, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var name =
            instrument.Meter.Name == "Sagas"
                ? $"called/{Tag(tags, "target")}/{Tag(tags, "outcome")}"
                : $"consumed/{Tag(tags, "messaging.masstransit.message_type")}";
        _counts.AddOrUpdate(name, count, (_, before) => before + count);
    }

    private static string Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
    {
        foreach (var tag in tags)
        {
            if (tag.Key == name)
                return tag.Value as string ?? "";
        }

        return "";
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        var targets = services.GetService<OutboundCallStatus>()?.Targets ?? [];
        await ExecuteAsync(
            HeartbeatSql,
            cancellationToken,
            _process,
            Environment.MachineName,
            roles.ToString(),
            Version,
            JsonSerializer.Serialize(targets, JsonSerializerOptions.Web)
        );
        var counts = _counts.Where(pair => pair.Value > 0).ToArray();
        if (counts.Length == 0)
            return;
        await ExecuteAsync(
            ActivitySql,
            cancellationToken,
            _process,
            counts.Select(pair => pair.Key).ToArray(),
            counts.Select(pair => pair.Value).ToArray()
        );
        foreach (var (name, written) in counts)
            _counts.AddOrUpdate(name, 0, (_, now) => now - written);
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] parameters)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var value in parameters)
            command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Writing this process's activity failed; it is written later: {Reason}")]
    private partial void LogFailed(string reason);
}
