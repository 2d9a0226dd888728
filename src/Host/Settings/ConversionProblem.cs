using System.Text.RegularExpressions;
using Sagas.Services.Ledger;

namespace Sagas.Host.Settings;

/// <summary>Says what a setting must be, where .NET names the type that it cannot be converted to.</summary>
internal static partial class ConversionProblem
{
    /// <param name="message">What .NET says.</param>
    /// <returns>The same with the way out, where it is known; otherwise as it is.</returns>
    public static string Describe(string message)
    {
        var match = Conversion().Match(message);
        return match.Success && Remedy(match.Groups["type"].Value) is { } remedy
            ? $"{match.Groups["key"].Value} is '{match.Groups["value"].Value}': use {remedy} "
                + $"(as an environment variable: {match.Groups["key"].Value.Replace(":", "__", StringComparison.Ordinal)})."
            : message;
    }

    private static string? Remedy(string type) => type switch
    {
        "System.TimeSpan" => "a duration, written as [days.]hours:minutes:seconds, such as 00:00:30",
        "System.Int32" or "System.Int64" => "a whole number",
        "System.Double" => "a number with a point, such as 0.5",
        "System.Boolean" => "true or false",
        _ => typeof(LedgerMode).Assembly.GetType(type) is { IsEnum: true } choices ? $"one of {string.Join(", ", Enum.GetNames(choices))}" : null,
    };

    [GeneratedRegex("^Failed to convert configuration value '(?<value>.*)' at '(?<key>[^']*)' to type '(?<type>[^']*)'", RegexOptions.Singleline)]
    private static partial Regex Conversion();
}
