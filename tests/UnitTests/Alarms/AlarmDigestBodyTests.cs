using System.Text.Json;
using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Sagas.Contracts;
using Sagas.Services.Alarms;

namespace Sagas.UnitTests.Alarms;

/// <summary>One body can be read as plain JSON and by MassTransit without configuration.</summary>
public sealed class AlarmDigestBodyTests
{
    private static readonly AlarmDigest _digest = new(
        "ü",
        [new ActiveAlarm("a", "WARNING", Instant.Parse("2021-06-07T20:40:15.598765212Z"))]
    );

    [Fact]
    public async Task A_digest_is_plain_JSON_and_a_MassTransit_message()
    {
        var arrived = new TaskCompletionSource<(byte[] Body, AlarmDigest Digest)>();
        await using var provider = new ServiceCollection()
            .AddMassTransitTestHarness(bus =>
                bus.AddHandler(
                    (ConsumeContext<AlarmDigest> context) =>
                    {
                        arrived.SetResult((context.ReceiveContext.Body.GetBytes(), context.Message));
                        return Task.CompletedTask;
                    }
                )
            )
            .BuildServiceProvider(true);
        var harness = await provider.StartTestHarness();
        await harness.Bus.Publish(_digest, context => context.Serializer = AlarmDigestSerializer.Instance);
        var (body, received) = await arrived.Task.WaitAsync(Eventually.Timeout);
        Assert.Equal("ü", received.UserId);
        Assert.Equal(_digest.ActiveAlarms, received.ActiveAlarms);

        var json = JsonDocument.Parse(body).RootElement;
        foreach (var digest in (JsonElement[])[json, json.GetProperty("message")])
        {
            Assert.Equal("ü", digest.GetProperty("UserID").GetString());
            Assert.Equal(
                """[{"AlarmID":"a","Status":"WARNING","LatestChangedAt":"2021-06-07T20:40:15.598765212Z"}]""",
                JsonSerializer.Serialize(digest.GetProperty("ActiveAlarms"))
            );
        }

        Assert.Equal("urn:message:Sagas.Contracts:AlarmDigest", json.GetProperty("messageType")[0].GetString());
    }
}
