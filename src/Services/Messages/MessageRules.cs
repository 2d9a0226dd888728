using System.Runtime.CompilerServices;
using MassTransit;
using Sagas.Contracts;

namespace Sagas.Services.Messages;

/// <summary>What the messages that come from outside must fulfil, whatever they were serialized by.</summary>
internal sealed class MessageRules(MessagesOptions options, TimeProvider time)
{
    private const int LongestIdentifier = 128;
    private const int LongestText = 512;
    private const int LongestAlert = 4096;
    private const decimal LargestAmount = 1_000_000_000_000m;
    private const int AmountDecimals = 4;

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public void Check(ConsumeContext context)
    {
        if (context.TryGetMessage<PaymentRequested>(out var payment))
            Check(payment.Message);
        else if (context.TryGetMessage<SendAlert>(out var alert))
            Check(alert.Message);
        else if (context.TryGetMessage<CustomerRegistered>(out var customer))
            Check(customer.Message);
        else if (context.TryGetMessage<RevivePayment>(out var revive))
            Check(revive.Message);
        else if (context.TryGetMessage<SyncCustomer>(out var sync))
            Check(sync.Message);
        else if (context.TryGetMessage<SyncCustomers>(out var several))
            Check(several.Message);
        else if (context.TryGetMessage<CustomerSynced>(out var synced))
            Check(synced.Message);
        else if (context.TryGetMessage<CustomerSyncFailed>(out var failed))
            Check(failed.Message);
        else if (context.TryGetMessage<RetryCustomerSync>(out var retry))
            Check(retry.Message);
        else if (context.TryGetMessage<AlarmStatusChanged>(out var alarm))
            Check(alarm.Message);
        else if (context.TryGetMessage<SendAlarmDigest>(out var digest))
            Check(digest.Message);
        else if (context.TryGetMessage<ObjectStatusRequested>(out var status))
            Identifier(status.Message, status.Message.ObjectId);
        else if (context.TryGetMessage<ObjectStatusesRequested>(out var statuses))
            Check(statuses.Message);
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public void Check(CustomerRegistered message)
    {
        Identifier(message, message.CustomerId);
        Text(message, message.FirstName);
        Text(message, message.LastName);
        Text(message, message.Email);
        Text(message, message.Phone);
        Text(message, message.Source);
        Time(message, message.RegisteredAt);
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public static void Check(SendAlert message)
    {
        Identifier(message, message.AlertId);
        Identifier(message, message.UserId);
        if (string.IsNullOrWhiteSpace(message.Message))
            throw Refused(message, nameof(message.Message), "must not be empty");
        Text(message, message.Message, LongestAlert);
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public void Check(PaymentRequested message)
    {
        Identifier(message, message.PaymentId);
        Identifier(message, message.CustomerId);
        Amount(message, message.Amount);
        if (message.Currency is null || !Currencies.Contains(message.Currency))
            throw Refused(message, nameof(message.Currency), "must be the code of an active currency (ISO 4217), such as EUR");
        Time(message, message.RequestedAt);
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public void Check(RevivePayment message)
    {
        Identifier(message, message.PaymentId);
        Text(message, message.RequestedBy);
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public void Check(SyncCustomer message)
    {
        Identifier(message, message.CustomerId);
        Version(message, message.Version);
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public void Check(SyncCustomers message)
    {
        if (message.CustomerIds is not { Count: > 0 and <= SyncCustomers.MostCustomers })
            throw Refused(message, nameof(message.CustomerIds), $"must name 1 to {SyncCustomers.MostCustomers} customers");
        foreach (var customerId in message.CustomerIds)
            Identifier(message, customerId, nameof(message.CustomerIds));
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public void Check(CustomerSynced message)
    {
        Identifier(message, message.CustomerId);
        Version(message, message.Version);
        Time(message, message.SyncedAt);
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public void Check(CustomerSyncFailed message)
    {
        Identifier(message, message.CustomerId);
        Version(message, message.Version);
        if (string.IsNullOrWhiteSpace(message.Reason))
            throw Refused(message, nameof(message.Reason), "must not be empty");
        Text(message, message.Reason);
        Time(message, message.FailedAt);
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public void Check(RetryCustomerSync message)
    {
        Identifier(message, message.CustomerId);
        Text(message, message.RequestedBy);
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public void Check(AlarmStatusChanged message)
    {
        Identifier(message, message.AlarmId);
        Identifier(message, message.UserId);
        if (!AlarmStatus.All.Contains(message.Status?.Trim(), StringComparer.OrdinalIgnoreCase))
            throw Refused(message, nameof(message.Status), $"must be one of {string.Join(", ", AlarmStatus.All)}");
        Time(message, message.ChangedAt.ToDateTimeOffset(), nameof(message.ChangedAt));
    }

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public static void Check(SendAlarmDigest message) => Identifier(message, message.UserId);

    /// <exception cref="MessageRefusedException">The message breaks a rule.</exception>
    public static void Check(ObjectStatusesRequested message)
    {
        if (message.ObjectIds is not { Count: > 0 and <= ObjectStatusesRequested.MostObjects })
            throw Refused(message, nameof(message.ObjectIds), $"must name 1 to {ObjectStatusesRequested.MostObjects} objects");
        foreach (var objectId in message.ObjectIds)
            Identifier(message, objectId, nameof(message.ObjectIds));
    }

    private static void Version(object message, int value, [CallerArgumentExpression(nameof(value))] string field = "")
    {
        if (value < 1)
            throw Refused(message, field, "must be at least 1");
    }

    /// <summary>What an identifier breaks, as the end of a sentence that begins with its name; null: nothing.</summary>
    internal static string? WhatIsWrongWithIdentifier(ReadOnlySpan<char> value)
    {
        var id = value.Trim();
        if (id.IsEmpty)
            return "must not be empty";
        if (id.Length > LongestIdentifier)
            return $"must be at most {LongestIdentifier} characters long, and has {id.Length}";
        foreach (var character in id)
            if (char.IsControl(character))
                return "must not contain control characters";
        return HasBrokenSurrogate(id) ? "must be valid Unicode text" : null;
    }

    private static void Identifier(object message, string? value, [CallerArgumentExpression(nameof(value))] string field = "")
    {
        if (WhatIsWrongWithIdentifier(value) is { } problem)
            throw Refused(message, field, problem);
    }

    private static void Text(
        object message, string? value, int longest = LongestText, [CallerArgumentExpression(nameof(value))] string field = "")
    {
        if (value is null)
            return;
        if (value.Length > longest)
            throw Refused(message, field, $"must be at most {longest} characters long, and has {value.Length}");
        // Postgres has no text with U+0000 in it, and none that is not Unicode.
        if (value.Contains('\0') || HasBrokenSurrogate(value))
            throw Refused(message, field, "must be valid Unicode text without U+0000");
    }

    private static void Amount(PaymentRequested message, decimal amount)
    {
        if (amount <= 0)
            throw Refused(message, nameof(message.Amount), "must be greater than zero");
        if (amount > LargestAmount)
            throw Refused(message, nameof(message.Amount), $"must be at most {LargestAmount:0}");
        if (decimal.Round(amount, AmountDecimals) != amount)
            throw Refused(message, nameof(message.Amount), $"must have at most {AmountDecimals} decimals");
    }

    private void Time(object message, DateTimeOffset? value, [CallerArgumentExpression(nameof(value))] string field = "")
    {
        if (value is not { } at)
            return;
        if (at < DateTimeOffset.UnixEpoch)
            throw Refused(message, field, "must not be before 1970-01-01");
        var latest = time.GetUtcNow() + options.AllowedClockSkew;
        if (at > latest)
            throw Refused(message, field, $"lies in the future: it is {at:u}, and the latest time accepted is {latest:u}");
    }

    private static bool HasBrokenSurrogate(ReadOnlySpan<char> text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (!char.IsSurrogate(text[index]))
                continue;
            if (!char.IsHighSurrogate(text[index]) || ++index == text.Length || !char.IsLowSurrogate(text[index]))
                return true;
        }
        return false;
    }

    private static MessageRefusedException Refused(object message, string field, string what) =>
        new($"{message.GetType().Name}: {field[(field.LastIndexOf('.') + 1)..]} {what}.");
}
