using System.Globalization;
using Sagas.Payments;

namespace Sagas.Cli.CommandLine;

/// <summary>Writes values for people.</summary>
internal static class Format
{
    /// <summary>A text from outside without control characters, which could control the terminal.</summary>
    public static string Clean(string? text) =>
        text is null ? "" : string.Concat(text.Select(character => char.IsControl(character) ? ' ' : character));

    /// <summary>A moment, UTC, to the second.</summary>
    public static string Moment(DateTimeOffset? time) =>
        time?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "";

    /// <summary>A moment, UTC, to the millisecond.</summary>
    public static string ExactMoment(DateTimeOffset time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>A time relative to now: <c>in 3.2 s</c> or <c>5 min ago</c>.</summary>
    public static string FromNow(DateTimeOffset? time, DateTimeOffset now) =>
        time switch
        {
            null => "",
            { } later when later > now => "in " + Duration(later - now),
            { } earlier => Duration(now - earlier) + " ago",
        };

    /// <summary>A duration in one unit.</summary>
    public static string Duration(TimeSpan span)
    {
        var (value, unit) = span switch
        {
            { TotalMilliseconds: < 999.5 } => (span.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture), "ms"),
            { TotalSeconds: < 9.95 } => (span.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture), "s"),
            { TotalSeconds: < 89.5 } => (span.TotalSeconds.ToString("0", CultureInfo.InvariantCulture), "s"),
            { TotalMinutes: < 89.5 } => (span.TotalMinutes.ToString("0", CultureInfo.InvariantCulture), "min"),
            { TotalHours: < 47.5 } => (span.TotalHours.ToString("0", CultureInfo.InvariantCulture), "h"),
            _ => (span.TotalDays.ToString("0", CultureInfo.InvariantCulture), "days"),
        };
        return $"{value} {unit}";
    }

    /// <summary>A number of things per second, with a decimal while it is below 10.</summary>
    public static string PerSecond(double rate) => rate.ToString(rate < 9.95 ? "0.0" : "N0", CultureInfo.InvariantCulture);

    /// <summary>A number of things per second; null in the first second, when it says little.</summary>
    public static string? PerSecond(double count, double seconds) => seconds < 1 ? null : PerSecond(count / seconds);

    /// <summary>An amount of money, with the decimals of its currency.</summary>
    public static string Money(decimal amount, string currency)
    {
        var money = Currencies.Normalize(amount, currency);
        return $"{money.ToString($"N{money.Scale}", CultureInfo.InvariantCulture)} {currency}";
    }

    /// <summary>The colour of a state: done, waiting, or needs an operator.</summary>
    public static string? Colour(string? state) =>
        state switch
        {
            "Completed" or "Registered" or "Synced" or "done" or "completed" or "delivered" => "green",
            "AwaitingCustomer" or "Processing" or "Syncing" => "yellow",
            "waiting" or "pending" or "running" or "in_flight" or "due" or "publishing" => "yellow",
            "Failed" or "Expired" or "SyncFailed" or "failed" or "parked" or "failing" or "invalid" => "red",
            _ => null,
        };
}
