using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Contracts;
using Sagas.Payments;
using Sagas.Services.Messages;

namespace Sagas.Cli.Publish;

/// <summary>Options of the commands that publish.</summary>
internal static class PublishOptions
{
    /// <summary>The currency of a payment that names none.</summary>
    public const string DefaultCurrency = "EUR";

    /// <summary>How many messages.</summary>
    public static Option<int> Count(string description) =>
        CommandOptions.NumberOption("--count", description, 1, CommandOptions.MaxCount);

    /// <summary>The amount of a payment.</summary>
    public static Option<decimal> Amount() =>
        new("--amount")
        {
            Description = "The amount, above 0, with no more decimals than its currency has, after a point.",
            HelpName = "amount",
            DefaultValueFactory = _ => 10.00m,
            CustomParser = result =>
            {
                var styles = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign;
                var text = result.Tokens[0].Value;
                if (!decimal.TryParse(text, styles, CultureInfo.InvariantCulture, out var amount) || amount <= 0)
                    result.AddError($"--amount must be a number above 0, such as 12.34; '{text}' is not.");
                return amount;
            },
        };

    /// <summary>The currency of a payment.</summary>
    public static Option<string> Currency() =>
        new("--currency")
        {
            Description = "ISO 4217 code.",
            HelpName = "code",
            DefaultValueFactory = _ => DefaultCurrency,
            CustomParser = result =>
            {
                var code = result.Tokens[0].Value.Trim().ToUpperInvariant();
                if (!Currencies.Contains(code))
                    result.AddError($"--currency must be an ISO 4217 code such as EUR; '{result.Tokens[0].Value}' is not one.");
                return code;
            },
        };

    /// <summary>When the source recorded the data.</summary>
    public static Option<DateTimeOffset?> RegisteredAt(TimeProvider timeProvider) =>
        new("--registered-at")
        {
            Description = "When the source recorded the data, ISO 8601, UTC without an offset. Default: now.",
            HelpName = "time",
            CustomParser = result =>
            {
                if (!Instant.TryParse(result.Tokens[0].Value, null, out var time))
                    result.AddError("--registered-at must be a time such as 2026-05-01T12:00:00Z.");
                else if (time < DateTimeOffset.UnixEpoch || time > timeProvider.GetUtcNow())
                    result.AddError("--registered-at must be a time between 1970 and now.");
                return time.ToDateTimeOffset();
            },
        };

    /// <summary>The ids of N things: the id itself for one, else id-1 to id-N.</summary>
    /// <exception cref="CommandException">The longest of them would be too long.</exception>
    public static IEnumerable<string> Ids(string id, int count)
    {
        if (count == 1)
            return [id];

        var longest = string.Create(CultureInfo.InvariantCulture, $"{id}-{count}");
        return longest.Length <= Identifiers.MaxLength
            ? Enumerable.Range(1, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{id}-{i}"))
            : throw new CommandException(
                ExitCode.Usage,
                $"--count makes ids up to {longest.Length} characters long; at most {Identifiers.MaxLength} are allowed."
            );
    }
}
