using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Sagas.Configuration;

/// <summary>Warns of settings that nothing reads.</summary>
public static partial class UnknownSettingsWarning
{
    /// <summary>Logs each unknown setting, with the one that may have been meant.</summary>
    /// <param name="logger">The application's log.</param>
    /// <param name="settings">The known settings.</param>
    /// <param name="configuration">The whole configuration.</param>
    public static void WarnOfUnknownSettings(this ILogger logger, UnknownSettings settings, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(settings);
        foreach (var (key, meant) in settings.In(configuration))
            LogUnknownSetting(logger, key, meant is null ? "" : $"; did you mean {meant}?");
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Unknown setting {Key} is ignored{Hint}")]
    private static partial void LogUnknownSetting(ILogger logger, string key, string hint);
}
