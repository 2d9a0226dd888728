using Sagas.Contracts;
using Sagas.Services.Messages;

namespace Sagas.Services.Payments;

/// <summary>The rules for messages about payments.</summary>
internal static class PaymentMessageRules
{
    private const decimal MaxAmount = 1_000_000_000_000m;
    private const int MaxAmountDecimals = 4;

    public static IReadOnlyList<MessageRule> All { get; } =
    [MessageRule.For<PaymentRequested>(Check), MessageRule.For<RevivePayment>(Check)];

    private static void Check(PaymentRequested message, MessageCheck check)
    {
        check.Identifier(message, message.PaymentId);
        check.Identifier(message, message.CustomerId);
        Amount(message, check);
        if (message.Currency is null || !Currencies.Contains(message.Currency))
            throw check.Invalid(
                message,
                nameof(message.Currency),
                "must be the code of an active currency (ISO 4217), such as EUR"
            );
        check.Time(message, message.RequestedAt);
    }

    private static void Check(RevivePayment message, MessageCheck check)
    {
        check.Identifier(message, message.PaymentId);
        check.Text(message, message.RequestedBy);
    }

    private static void Amount(PaymentRequested message, MessageCheck check)
    {
        if (message.Amount <= 0)
            throw check.Invalid(message, nameof(message.Amount), "must be greater than zero");
        if (message.Amount > MaxAmount)
            throw check.Invalid(message, nameof(message.Amount), $"must be at most {MaxAmount:0}");
        if (decimal.Round(message.Amount, MaxAmountDecimals) != message.Amount)
            throw check.Invalid(message, nameof(message.Amount), $"must have at most {MaxAmountDecimals} decimals");
    }
}
