using MassTransit;

namespace Sagas.Services.Messages;

/// <summary>A rule for messages of one type, regardless of their serialization.</summary>
public abstract class MessageRule
{
    /// <summary>A rule for a message type.</summary>
    /// <typeparam name="TMessage">The type.</typeparam>
    /// <param name="check">Throws <see cref="InvalidMessageException"/> where the message breaks the rule.</param>
    public static MessageRule For<TMessage>(Action<TMessage, MessageCheck> check)
        where TMessage : class => new Rule<TMessage>(check);

    /// <summary>Checks the message where it is of the rule's type.</summary>
    /// <returns>Whether it is.</returns>
    internal abstract bool TryCheck(ConsumeContext context, MessageCheck check);

    /// <summary>Checks the message where it is of the rule's type.</summary>
    /// <returns>Whether it is.</returns>
    internal abstract bool TryCheck(object message, MessageCheck check);

    private sealed class Rule<TMessage>(Action<TMessage, MessageCheck> rule) : MessageRule
        where TMessage : class
    {
        internal override bool TryCheck(ConsumeContext context, MessageCheck check) =>
            context.TryGetMessage<TMessage>(out var consumed) && TryCheck(consumed.Message, check);

        internal override bool TryCheck(object message, MessageCheck check)
        {
            if (message is not TMessage typed)
                return false;
            rule(typed, check);
            return true;
        }
    }
}
