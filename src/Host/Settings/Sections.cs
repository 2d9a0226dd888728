using Sagas.Configuration;
using Sagas.Services;
using Sagas.Services.Messages;

namespace Sagas.Host.Settings;

/// <summary>Everything that a services process reads from its configuration.</summary>
internal static class Sections
{
    /// <summary>The host's sections, then those of the features.</summary>
    public static IReadOnlyList<OptionsSection> Of(Features features) =>
        [
            new(ProcessOptions.Section, typeof(ProcessOptions)),
            new(DatabaseOptions.Section, typeof(DatabaseOptions)) { IsOpen = true },
            new(LoggingOptions.Section, typeof(LoggingOptions)) { IsOpen = true },
            new(BusOptions.Section, typeof(BusOptions)),
            new(RabbitMqOptions.Section, typeof(RabbitMqOptions)),
            new(MessagesOptions.Section, typeof(MessagesOptions)),
            .. features.Modules.SelectMany(module => module.Sections),
        ];

    /// <summary>Finds misspelled settings.</summary>
    public static UnknownSettings Unknown(Features features) => new(Of(features), "Serilog");
}
