using System.Collections.Concurrent;
using System.Diagnostics;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Sagas.Contracts;

namespace Sagas.IntegrationTests.Host;

public sealed class TraceTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task A_trace_spans_the_publishing_of_a_message_its_consumer_and_SQL()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "MassTransit" or "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var system = await TestSystem.CreateAsync(servers, ("Roles", "sagas"));
        await system.StartAsync();

        using var publishing = new Activity("publishing").Start();
        await system.Services.GetRequiredService<IBus>().Publish(new CustomerRegistered("c"));
        publishing.Stop();

        foreach (var kind in (ActivityKind[])[ActivityKind.Producer, ActivityKind.Consumer])
        {
            await Eventually.TrueAsync(
                $"a span of kind {kind}",
                () =>
                    spans.Any(span =>
                        span.Source.Name == "MassTransit" && span.Kind == kind && span.TraceId == publishing.TraceId
                    )
            );
        }

        await Eventually.TrueAsync(
            "a span of SQL",
            () => spans.Any(span => span.Source.Name == "Npgsql" && span.TraceId == publishing.TraceId)
        );
    }
}
