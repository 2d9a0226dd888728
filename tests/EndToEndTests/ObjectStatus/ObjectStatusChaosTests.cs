using System.Text.Json;
using Sagas.EndToEndTests.Processes;
using Sagas.LocalServers;
using Sagas.TestSupport.Chaos;
using Xunit.Abstractions;

namespace Sagas.EndToEndTests.ObjectStatus;

/// <summary>Processes and servers die at random while callbacks are taken and statuses fetched; every id that was acknowledged is
/// fetched and seen.</summary>
[Collection(ChaosCollections.Second)]
public sealed class ObjectStatusChaosTests(KillableServers servers, ITestOutputHelper output)
    : SystemChaosTest(servers, output),
        IDisposable
{
    private CallbackClient _client = null!;
    private ServiceQueues _queues = null!;
    private int _objects;
    private int _kills;
    private int _restarts;
    private (int MinMs, int MaxMs) _latency;

    [PrivateServersFact]
    [Trait("Category", "Chaos")]
    public Task No_acknowledged_object_is_lost_when_services_are_killed_and_servers_restart() =>
        RunAsync(objects: 2_000, kills: 1, restarts: 1, (MinMs: 50, MaxMs: 500));

    [PrivateServersFact]
    [Trait("Category", "ChaosFull")]
    public Task No_acknowledged_object_of_twenty_thousand_is_lost_in_twenty_kills() =>
        RunAsync(objects: 20_000, kills: 20, restarts: 3, (MinMs: 300, MaxMs: 4300));

    // What was seen is counted at the end; what is put off comes back before it.
    private protected override (string Key, string Value)[] Settings =>
        [("Roles", "callback,status"), ("ObjectStatus:ExpiryTimeout", "01:00:00"), ("ObjectStatus:RedeliveryDelay", "00:00:01")];

    private protected override string[] Sections =>
        [
            "SELECT count(*) FROM object_status",
            "SELECT message_type, outbox_id, count(*), min(enqueue_time), max(last_error) FROM outbox_message GROUP BY 1, 2",
        ];

    public void Dispose() => _client?.Dispose();

    protected override async Task PrepareAsync()
    {
        Running.CallbackPorts = LoopbackPorts.Pick(Processes);
        _client = new CallbackClient(Running.CallbackPorts, _objects);
        _queues = new ServiceQueues(Running, "object-status-lists", "object-status");
        await Running.StartGatewayAsync();
        var latency = new { minMs = _latency.MinMs, maxMs = _latency.MaxMs };
        var faults = new
        {
            failBefore = 0.03,
            lostAfter = 0.02,
            garbage = 0.01,
            latency,
        };
        await Running.SetFaultsAsync("/object-status/faults", faults);
    }

    protected override IEnumerable<Disturbance> Plan() =>
        [.. KillServices(_kills), .. RestartRabbitMq(_restarts), .. RestartPostgres(_restarts)];

    protected override async Task WorkAsync()
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        await _client.PostAllAsync(stop.Token);
        Narration.Say($"{_client.Acknowledged.Count} objects are acknowledged; {_client.Failures} posts were repeated");
    }

    protected override Task<double> ShareAsync() => Task.FromResult(_client.Share);

    protected override async Task<string> UnsettledAsync()
    {
        var counts = await Running.QueryAsync<string>(
            """
            SELECT (SELECT count(*) FROM object_status) || ' seen, ' || (SELECT count(*) FROM outbox_message) || ' in the outbox'
            """
        );
        return counts == $"{_objects} seen, 0 in the outbox" ? await _queues.DescribeFilledAsync() : counts;
    }

    protected override async Task BalanceAsync()
    {
        var answered = (await Running.GetAsync("/object-status/answered"))
            .EnumerateObject()
            .ToDictionary(answer => answer.Name, answer => answer.Value.GetInt64());
        var seen = (await Running.LinesAsync("SELECT object_id FROM object_status")).ToHashSet();
        Assert.Equal(_objects, _client.Acknowledged.Count);
        // Acknowledged, and never fetched or without a row.
        Assert.DoesNotContain(_client.Acknowledged, id => !answered.ContainsKey(id));
        Assert.DoesNotContain(_client.Acknowledged, id => !seen.Contains(id));
        await _queues.HoldNothingNewAsync(message => IdsOf(message).All(seen.Contains));
        Narration.Say("objects acknowledged", _client.Acknowledged.Count);
        Narration.Say("answers of the API", answered.Values.Sum());
    }

    private static IEnumerable<string> IdsOf(QueuedMessage message)
    {
        using var json = JsonDocument.Parse(message.Body);
        var body = json.RootElement.TryGetProperty("message", out var inEnvelope) ? inEnvelope : json.RootElement;
        return body.TryGetProperty("objectIds", out var ids)
            ? [.. ids.EnumerateArray().Select(id => id.GetString()!)]
            : [body.GetProperty("objectId").GetString()!];
    }

    private Task RunAsync(int objects, int kills, int restarts, (int MinMs, int MaxMs) latency)
    {
        (_objects, _kills, _restarts, _latency) = (objects, kills, restarts, latency);
        return RunAsync();
    }
}
