using MassTransit;

namespace Sagas.Services.Messages;

/// <summary>Sets a bus up for the product's messages.</summary>
public static class MessagesConfiguration
{
    /// <summary>Names exchanges as their messages. Everything that publishes needs this, the command line too.</summary>
    /// <param name="bus">The bus that is being configured.</param>
    /// <param name="contracts">The messages; those of <c>Sagas.Contracts</c> by default.</param>
    public static void UseContractEntityNames(this IBusFactoryConfigurator bus, ContractTypes? contracts = null) =>
        bus.MessageTopology.SetEntityNameFormatter(
            new ContractEntityNameFormatter(contracts ?? ContractTypes.Product, bus.MessageTopology.EntityNameFormatter)
        );

    /// <summary>Accepts plain JSON besides MassTransit's envelope; what cannot be read is an invalid message.</summary>
    /// <param name="bus">The bus that is being configured.</param>
    /// <param name="options">What is accepted.</param>
    /// <param name="contracts">The messages.</param>
    /// <param name="timeProvider">The clock.</param>
    public static void UsePlainJson(
        this IBusFactoryConfigurator bus,
        MessagesOptions options,
        ContractTypes contracts,
        TimeProvider timeProvider
    )
    {
        bus.AddDeserializer(new EnvelopeSerializerFactory(options, contracts));
        bus.AddDeserializer(new PlainJsonSerializerFactory(options, contracts, timeProvider), isDefault: true);
    }

    /// <summary>Rejects messages from outside that break a rule. It runs before retry and outbox, which could not help.</summary>
    /// <param name="endpoint">The endpoint that is being configured.</param>
    /// <param name="rules">The rules of all features.</param>
    /// <param name="options">What is accepted.</param>
    /// <param name="timeProvider">The clock.</param>
    public static void UseMessageRules(
        this IReceiveEndpointConfigurator endpoint,
        IReadOnlyList<MessageRule> rules,
        MessagesOptions options,
        TimeProvider timeProvider
    ) => endpoint.UseFilter(new IncomingMessageFilter(new MessageRules(rules, options, timeProvider)));
}
