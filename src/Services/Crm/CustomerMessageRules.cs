using Sagas.Contracts;
using Sagas.Services.Messages;

namespace Sagas.Services.Crm;

/// <summary>The rules for messages about customers.</summary>
internal static class CustomerMessageRules
{
    public static IReadOnlyList<MessageRule> All { get; } =
    [
        MessageRule.For<CustomerRegistered>(Check),
        MessageRule.For<SyncCustomer>(Check),
        MessageRule.For<SyncCustomers>(Check),
        MessageRule.For<CustomerSynced>(Check),
        MessageRule.For<CustomerSyncFailed>(Check),
        MessageRule.For<RetryCustomerSync>(Check),
    ];

    private static void Check(CustomerRegistered message, MessageCheck check)
    {
        check.Identifier(message, message.CustomerId);
        check.Line(message, message.FirstName);
        check.Line(message, message.LastName);
        check.Email(message, message.Email);
        check.Line(message, message.Phone);
        check.Line(message, message.Source);
        check.Time(message, message.RegisteredAt);
    }

    private static void Check(SyncCustomer message, MessageCheck check)
    {
        check.Identifier(message, message.CustomerId);
        check.Version(message, message.Version);
    }

    private static void Check(SyncCustomers message, MessageCheck check) =>
        check.IdentifierList(message, message.CustomerIds, SyncCustomers.MaxCustomers, "customers");

    private static void Check(CustomerSynced message, MessageCheck check)
    {
        check.Identifier(message, message.CustomerId);
        check.Version(message, message.Version);
        check.Time(message, message.SyncedAt);
    }

    private static void Check(CustomerSyncFailed message, MessageCheck check)
    {
        check.Identifier(message, message.CustomerId);
        check.Version(message, message.Version);
        check.RequiredText(message, message.Reason);
        check.Time(message, message.FailedAt);
    }

    private static void Check(RetryCustomerSync message, MessageCheck check)
    {
        check.Identifier(message, message.CustomerId);
        check.Line(message, message.RequestedBy);
    }
}
