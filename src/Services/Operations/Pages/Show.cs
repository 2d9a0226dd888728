using System.Globalization;

namespace Sagas.Services.Operations.Pages;

/// <summary>How values look on pages.</summary>
internal static class Show
{
    /// <summary>A time, UTC, to the second.</summary>
    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>How long ago, or until, something is: the two largest units.</summary>
    public static string Span(TimeSpan span)
    {
        span = span.Duration();
        return span switch
        {
            { TotalDays: >= 1 } => $"{span.Days} d {span.Hours} h",
            { TotalHours: >= 1 } => $"{span.Hours} h {span.Minutes} min",
            { TotalMinutes: >= 1 } => $"{span.Minutes} min {span.Seconds} s",
            _ => $"{span.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s",
        };
    }

    /// <summary>A number with thousands separated.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A rate.</summary>
    public static string Rate(double perSecond) => perSecond.ToString("0.##", CultureInfo.InvariantCulture) + "/s";

    /// <summary>The first character of each word: enough to recognise, too little to know.</summary>
    public static string Masked(string text) =>
        string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word[0] + "***"));
}
