using Sagas.Contracts;
using Sagas.Payments;
using Sagas.Services.Messages;

namespace Sagas.Services.Payments;

/// <summary>The rules for messages about payments.</summary>
internal static class PaymentMessageRules
{
    public static IReadOnlyList<MessageRule> All { get; } =
    [MessageRule.For<PaymentRequested>(Check), MessageRule.For<RevivePayment>(Check)];

    private static void Check(PaymentRequested message, MessageCheck check)
    {
        check.Identifier(message, message.PaymentId);
        check.Identifier(message, message.CustomerId);
        if (message.Currency is null || !Currencies.Contains(message.Currency))
            throw check.Invalid(
                message,
                nameof(message.Currency),
                "must be the code of an active currency (ISO 4217), such as EUR"
            );
        if (Currencies.Problem(message.Amount, message.Currency) is { } problem)
            throw check.Invalid(message, nameof(message.Amount), problem);
        check.Time(message, message.RequestedAt);
    }

    private static void Check(RevivePayment message, MessageCheck check)
    {
        check.Identifier(message, message.PaymentId);
        check.Line(message, message.RequestedBy);
    }
}
