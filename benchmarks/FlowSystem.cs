using System.Globalization;
using System.Text;
using RabbitMQ.Client;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>Services and simulators in processes of their own, and a producer in another language's place: plain JSON.</summary>
internal sealed class FlowSystem : IAsyncDisposable
{
    // Repeatable, so that runs are alike.
    private const int Seed = 4711;
    private const int ConfirmsInFlight = 1_000;

    private readonly BenchmarkPrograms _programs = new();
    private readonly Uri _rabbitMq;

    private FlowSystem(Uri rabbitMq) => _rabbitMq = rabbitMq;

    /// <summary>Starts them.</summary>
    /// <param name="postgres">Connection string of a database of their own.</param>
    /// <param name="rabbitMq">A virtual host of their own.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<FlowSystem> StartAsync(string postgres, Uri rabbitMq, CancellationToken cancellationToken)
    {
        var ports = LoopbackPorts.Pick(2);
        var simulators = new Uri($"http://127.0.0.1:{ports[0]}/");
        var services = new Uri($"http://127.0.0.1:{ports[1]}/");
        var system = new FlowSystem(rabbitMq);
        try
        {
            system._programs.Start("Sagas.Simulators", new() { ["ASPNETCORE_URLS"] = simulators.ToString() });
            system._programs.Start(
                "Sagas.Host",
                new()
                {
                    ["ASPNETCORE_URLS"] = services.ToString(),
                    ["ConnectionStrings__Postgres"] = postgres,
                    ["RabbitMq__Uri"] = rabbitMq.ToString(),
                    ["Roles"] = "sagas,payments,crm",
                    ["Payments__GatewayUrl"] = simulators.ToString(),
                    ["Crm__Url"] = new Uri(simulators, "crm").ToString(),
                    ["Serilog__MinimumLevel__Default"] = "Warning",
                }
            );
            await system._programs.UntilReadyAsync(new Uri(simulators, "health/ready"), cancellationToken);
            await system._programs.UntilReadyAsync(new Uri(services, "health/ready"), cancellationToken);
            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    /// <summary>Publishes payments and their customers' registrations in random order.</summary>
    public async Task PublishAsync(string name, int payments, CancellationToken cancellationToken)
    {
        var messages = new (string Exchange, string Body)[2 * payments];
        for (var number = 0; number < payments; number++)
        {
            var customer = string.Create(CultureInfo.InvariantCulture, $"{name}-customer-{number}");
            messages[2 * number] = (
                "CustomerRegistered",
                $$"""{"customerId":"{{customer}}","firstName":"Ada","lastName":"Lovelace","email":"{{customer}}@example.org"}"""
            );
            messages[(2 * number) + 1] = (
                "PaymentRequested",
                $$"""{"paymentId":"{{name}}-{{number}}","customerId":"{{customer}}","amount":12.34,"currency":"EUR"}"""
            );
        }

#pragma warning disable CA5394 // Only the order depends on it.
        new Random(Seed).Shuffle(messages);
#pragma warning restore CA5394
        await using var connection = await new ConnectionFactory { Uri = _rabbitMq }.CreateConnectionAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true),
            cancellationToken
        );
        foreach (var chunk in messages.Chunk(ConfirmsInFlight))
        {
            var confirms = chunk.Select(message => PublishAsync(channel, message.Exchange, message.Body, cancellationToken));
            await Task.WhenAll(confirms);
        }
    }

    public ValueTask DisposeAsync() => _programs.DisposeAsync();

    private static Task PublishAsync(IChannel channel, string exchange, string body, CancellationToken cancellationToken)
    {
        var properties = new BasicProperties
        {
            ContentType = "application/json",
            DeliveryMode = DeliveryModes.Persistent,
            MessageId = Guid.NewGuid().ToString(),
        };
        return channel
            .BasicPublishAsync(exchange, "", mandatory: true, properties, Encoding.UTF8.GetBytes(body), cancellationToken)
            .AsTask();
    }
}
