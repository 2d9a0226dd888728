using System.Globalization;
using System.Text.Json;
using Sagas.EndToEndTests.Chaos;
using Sagas.EndToEndTests.Processes;
using Sagas.LocalServers;

namespace Sagas.EndToEndTests.ObjectStatus;

/// <summary>Callbacks are taken and statuses fetched; every id that was acknowledged is fetched and seen.</summary>
internal sealed class ObjectStatusScenario(Narration narration, int processes, int objects, (int MinMs, int MaxMs) latency)
    : ChaosScenario(narration)
{
    private CallbackClient _client = null!;
    private ServiceQueues _queues = null!;

    public override string[] Roles => ["callback", "status"];

    // What was seen is counted at the end; what is put off comes back before it.
    public override (string Key, string Value)[] Settings =>
        [("ObjectStatus:ExpiryTimeout", "01:00:00"), ("ObjectStatus:RedeliveryDelay", "00:00:01")];

    public override (string Key, string Value)[] SimulatorSettings =>
        [
            ("ObjectStatus:Faults:FailBefore", "0.03"),
            ("ObjectStatus:Faults:LostAfter", "0.02"),
            ("ObjectStatus:Faults:Garbage", "0.01"),
            ("ObjectStatus:Faults:Latency:MinMs", latency.MinMs.ToString(CultureInfo.InvariantCulture)),
            ("ObjectStatus:Faults:Latency:MaxMs", latency.MaxMs.ToString(CultureInfo.InvariantCulture)),
        ];

    public override string[] Sections =>
        [
            "SELECT count(*) FROM object_status",
            "SELECT message_type, outbox_id, count(*), min(enqueue_time), max(last_error) FROM outbox_message GROUP BY 1, 2",
        ];

    public override ValueTask DisposeAsync()
    {
        _client?.Dispose();
        return base.DisposeAsync();
    }

    public override async Task WorkAsync()
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        await _client.PostAllAsync(stop.Token);
        Narration.Say($"{_client.Acknowledged.Count} objects are acknowledged; {_client.Failures} posts were repeated");
    }

    public override Task<double> ShareAsync() => Task.FromResult(_client.Share);

    public override async Task<string> UnsettledAsync()
    {
        var counts = await Running.QueryAsync<string>(
            """
            SELECT (SELECT count(*) FROM object_status) || ' seen, ' || (SELECT count(*) FROM outbox_message) || ' in the outbox'
            """
        );
        return counts == $"{objects} seen, 0 in the outbox" ? await _queues.DescribeFilledAsync() : counts;
    }

    public override async Task BalanceAsync()
    {
        var answered = (await Running.Simulators.GetAsync("/object-status/answered"))
            .EnumerateObject()
            .ToDictionary(answer => answer.Name, answer => answer.Value.GetInt64());
        var seen = (await Running.LinesAsync("SELECT object_id FROM object_status")).ToHashSet();
        Assert.Equal(objects, _client.Acknowledged.Count);
        // Acknowledged, and never fetched or without a row.
        Assert.DoesNotContain(_client.Acknowledged, id => !answered.ContainsKey(id));
        Assert.DoesNotContain(_client.Acknowledged, id => !seen.Contains(id));
        await _queues.HoldNothingNewAsync(message => IdsOf(message).All(seen.Contains));
        Narration.Say("objects acknowledged", _client.Acknowledged.Count);
        Narration.Say("answers of the API", answered.Values.Sum());
    }

    protected override Task PrepareAsync()
    {
        Running.CallbackPorts = LoopbackPorts.Pick(processes);
        _client = new CallbackClient(Running.CallbackPorts, objects);
        _queues = new ServiceQueues(Running, "object-status-lists", "object-status");
        return Task.CompletedTask;
    }

    private static IEnumerable<string> IdsOf(QueuedMessage message)
    {
        using var json = JsonDocument.Parse(message.Body);
        var body = json.RootElement.TryGetProperty("message", out var inEnvelope) ? inEnvelope : json.RootElement;
        return body.TryGetProperty("objectIds", out var ids)
            ? [.. ids.EnumerateArray().Select(id => id.GetString()!)]
            : [body.GetProperty("objectId").GetString()!];
    }
}
