using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Sagas.Configuration;

namespace Sagas.UnitTests.Host;

/// <summary>Options as a process reads them.</summary>
internal static class Configured
{
    /// <summary>The problems of a section.</summary>
    /// <typeparam name="TOptions">The section's options.</typeparam>
    /// <param name="section">The section.</param>
    /// <param name="values">Its settings, by their names within it.</param>
    public static IReadOnlyList<string> Problems<TOptions>(string section, params (string Name, string? Value)[] values)
        where TOptions : class
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(values.ToDictionary(pair => $"{section}:{pair.Name}".TrimStart(':'), pair => pair.Value))
            .Build();
        using var services = new ServiceCollection().AddValidatedOptions<TOptions>(configuration, section).BuildServiceProvider();
        return Record.Exception(services.ValidateConfiguration) is InvalidConfigurationException invalid ? invalid.Problems : [];
    }
}
