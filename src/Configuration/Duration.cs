using System.Globalization;
using System.Text.RegularExpressions;

namespace Sagas.Configuration;

/// <summary>
/// Durations as people write them: <c>90s</c>, <c>24h</c>, <c>1d12h</c>, or <c>[days.]hours:minutes:seconds</c> with any
/// number of hours. A number without a unit is none, except <c>0</c>.
/// </summary>
public static partial class Duration
{
    /// <summary>How a duration is written, for messages.</summary>
    public const string Forms = "with the units d, h, m, s and ms, or as [days.]hours:minutes:seconds";

    // Groups of the patterns, in this order, and the ticks of one of each.
    private static readonly (string Unit, long Ticks)[] _units =
    [
        ("d", TimeSpan.TicksPerDay),
        ("h", TimeSpan.TicksPerHour),
        ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond),
        ("ms", TimeSpan.TicksPerMillisecond),
    ];

    /// <summary>Reads a duration.</summary>
    /// <param name="text">The text; white space around it does not count.</param>
    /// <param name="duration">The duration, at least zero.</param>
    /// <returns>False: the text is none, or is longer than <see cref="TimeSpan"/> can hold.</returns>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        ArgumentNullException.ThrowIfNull(text);
        duration = TimeSpan.Zero;
        var trimmed = text.Trim();
        if (trimmed == "0")
            return true;
        var match = Units().Match(trimmed) is { Success: true } units ? units : Clock().Match(trimmed);
        if (!match.Success)
            return false;
        var ticks = 0m;
        foreach (var (unit, each) in _units)
        {
            if (match.Groups[unit] is { Success: true } amount)
                ticks += decimal.Parse(amount.ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) * each;
        }

        if (ticks > long.MaxValue)
            return false;
        duration = new TimeSpan((long)ticks);
        return true;
    }

    /// <summary>Writes a duration with units, such as <c>1d12h</c>.</summary>
    /// <param name="duration">At least zero.</param>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
            return "0s";
        if (duration < TimeSpan.FromSeconds(1) && duration.Ticks % TimeSpan.TicksPerMillisecond == 0)
            return string.Create(CultureInfo.InvariantCulture, $"{duration.Milliseconds}ms");
        var seconds = duration.Ticks % TimeSpan.TicksPerMinute / (decimal)TimeSpan.TicksPerSecond;
        return string.Concat(
            Part(duration.Days, "d"),
            Part(duration.Hours, "h"),
            Part(duration.Minutes, "m"),
            Part(seconds, "s")
        );
    }

    private static string Part(decimal amount, string unit) =>
        amount == 0 ? "" : amount.ToString("0.#######", CultureInfo.InvariantCulture) + unit;

    [GeneratedRegex(
        @"^(?=[0-9])((?<d>[0-9]{1,9}(\.[0-9]{1,9})?)d)?((?<h>[0-9]{1,9}(\.[0-9]{1,9})?)h)?((?<m>[0-9]{1,9}(\.[0-9]{1,9})?)m)?"
            + @"((?<s>[0-9]{1,9}(\.[0-9]{1,9})?)s)?((?<ms>[0-9]{1,9}(\.[0-9]{1,9})?)ms)?\z",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Units();

    // Days leave less than a day of hours beside them.
    [GeneratedRegex(
        @"^((?<d>[0-9]{1,9})\.(?<h>[01]?[0-9]|2[0-3])|(?<h>[0-9]{1,9})):(?<m>[0-5]?[0-9]):(?<s>[0-5]?[0-9](\.[0-9]{1,7})?)\z",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Clock();
}
