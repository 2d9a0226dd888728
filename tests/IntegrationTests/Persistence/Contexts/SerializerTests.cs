using MassTransit;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>A stored message arrives as its serializer wrote it, with its headers.</summary>
public sealed class SerializerTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    public static TheoryData<string, bool> Serializers() =>
        new()
        {
            { "raw", true },
            { "raw", false },
            { "binary", true },
            { "binary", false },
        };

    [Theory]
    [MemberData(nameof(Serializers))]
    public async Task A_message_arrives_with_its_body_and_its_headers(string serializer, bool fromConsumer)
    {
        var conversation = NewId.NextGuid();
        await using var virtualHost = await servers.CreateVirtualHostAsync("serializer");
        await using var host = await ContextHost<OrdersDbContext>.StartAsync(
            servers,
            new ContextSetup
            {
                RabbitMq = virtualHost.Uri,
                Factory = factory => Use(factory, serializer),
                Work = (context, _) => PublishAsync(context),
            }
        );

        if (fromConsumer)
            await host.PublishAsync(new Work("", 0));
        else
            await host.PublishInScopeAsync(PublishAsync);

        await host.Arrivals.CountAsync("Grüße, 世界", 1);
        var arrival = host.Arrivals.All.Single();
        Assert.Equal((conversation, 7), (arrival.ConversationId, arrival.Number));
        Assert.NotNull(arrival.SourceAddress);
        Assert.Contains(MessageUrn.ForTypeString<WorkDone>(), arrival.MessageTypes);

        Task PublishAsync(IPublishEndpoint publish) =>
            publish.Publish(new WorkDone("Grüße, 世界", 7), context => context.ConversationId = conversation);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_header_that_asks_for_a_failed_delivery_is_honoured(bool fromConsumer)
    {
        await using var host = await ContextHost<OrdersDbContext>.StartAsync(
            servers,
            new ContextSetup { Work = (context, _) => PublishAsync(context) }
        );

        if (fromConsumer)
            await host.PublishAsync(new Work("", 0));
        else
            await host.PublishInScopeAsync(PublishAsync);

        await Eventually.TrueAsync(
            "the message waits with its error",
            () => host.QueryAsync<bool>("SELECT EXISTS (SELECT FROM outbox_message WHERE last_error LIKE '%MT-Fail-Delivery%')")
        );
        Assert.Empty(host.Arrivals.All);

        static Task PublishAsync(IPublishEndpoint publish) =>
            publish.Publish(new WorkDone("", 0), context => context.Headers.Set("MT-Fail-Delivery", "yes"));
    }

    [Fact]
    public async Task A_body_that_cannot_be_decoded_waits_with_the_remedy()
    {
        await using var host = await ContextHost<OrdersDbContext>.StartAsync(
            servers,
            new ContextSetup { Factory = factory => factory.AddSerializer(new GzipSerializerFactory()) }
        );
        await host.PublishInScopeAsync(publish => publish.Publish(new WorkDone("", 0)));

        await Eventually.TrueAsync(
            "the message waits with its error",
            () => host.QueryAsync<bool>("SELECT EXISTS (SELECT FROM outbox_message WHERE last_error LIKE '%AddDeserializer%')")
        );
    }

    private static void Use(IBusFactoryConfigurator factory, string serializer)
    {
        if (serializer == "raw")
        {
            factory.UseRawJsonSerializer();
            return;
        }

        factory.AddSerializer(new GzipSerializerFactory());
        factory.AddDeserializer(new GzipSerializerFactory(), isDefault: true);
    }
}
