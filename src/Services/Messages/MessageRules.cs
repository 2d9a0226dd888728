using MassTransit;

namespace Sagas.Services.Messages;

/// <summary>Checks messages from outside by the rules of all features.</summary>
/// <param name="rules">The rules of all features.</param>
/// <param name="options">What is accepted from producers.</param>
/// <param name="timeProvider">The clock.</param>
public sealed class MessageRules(IReadOnlyList<MessageRule> rules, MessagesOptions options, TimeProvider timeProvider)
{
    private readonly MessageCheck _check = new(options, timeProvider);

    /// <summary>Checks a message.</summary>
    /// <exception cref="InvalidMessageException">The message breaks a rule.</exception>
    public void Check(ConsumeContext context)
    {
        foreach (var rule in rules)
        {
            if (rule.TryCheck(context, _check))
                return;
        }
    }

    /// <summary>Checks a message.</summary>
    /// <exception cref="InvalidMessageException">The message breaks a rule.</exception>
    public void Check(object message)
    {
        foreach (var rule in rules)
        {
            if (rule.TryCheck(message, _check))
                return;
        }
    }
}
