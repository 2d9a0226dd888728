using System.Globalization;

namespace Sagas.Host.Settings;

/// <summary>Reads typed values out of the configuration and collects what is wrong with them, to tell all of it at once.</summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private readonly List<string> _problems = [];

    public string Text(string key, string fallback) => Value(key) ?? fallback;

    public string? Optional(string key) => Value(key);

    public string Choice(string key, params string[] choices) =>
        Value(key) is not { } value ? choices[0]
        : choices.FirstOrDefault(choice => choice.Equals(value, StringComparison.OrdinalIgnoreCase))
          ?? Problem(key, value, $"use one of {string.Join(", ", choices)}", choices[0]);

    public TimeSpan Duration(string key, TimeSpan fallback, TimeSpan shortest, TimeSpan longest) =>
        Value(key) is not { } value ? fallback
        : TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var duration) && duration >= shortest && duration <= longest ? duration
        : Problem(key, value,
            $"use a duration from {shortest:c} to {longest:c}, written as [days.]hours:minutes:seconds, such as {fallback:c}", fallback);

    public int Number(string key, int fallback, int smallest, int largest) =>
        Value(key) is not { } value ? fallback
        : int.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) && number >= smallest && number <= largest ? number
        : Problem(key, value, $"use a whole number from {smallest} to {largest}, such as {fallback}", fallback);

    /// <summary>Notes a problem whose value is secret or has been described already.</summary>
    public void Problem(string sentence) => _problems.Add(sentence);

    /// <exception cref="SettingsRefusedException">Something was wrong.</exception>
    public void ThrowIfRefused()
    {
        if (_problems.Count > 0)
            throw new SettingsRefusedException(_problems);
    }

    private T Problem<T>(string key, string value, string remedy, T fallback)
    {
        _problems.Add($"{key} is '{value}': {remedy} (as an environment variable: {key.Replace(":", "__", StringComparison.Ordinal)}).");
        return fallback;
    }

    private string? Value(string key) => configuration[key] is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;
}
