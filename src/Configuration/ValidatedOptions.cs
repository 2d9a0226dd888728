using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Sagas.Configuration;

/// <summary>Options that are read and checked before the process starts.</summary>
public static class ValidatedOptions
{
    /// <summary>
    /// Binds a section. Values that cannot be read, are out of their property's range or break a rule of
    /// <see cref="IValidatedOptions"/> are reported by <see cref="ValidateConfiguration"/>.
    /// </summary>
    /// <typeparam name="TOptions">The options.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The whole configuration.</param>
    /// <param name="section">The section's path; empty for the settings that are in no section.</param>
    public static IServiceCollection AddValidatedOptions<TOptions>(
        this IServiceCollection services,
        IConfiguration configuration,
        string section
    )
        where TOptions : class
    {
        var values = new SectionValues(configuration, new OptionsSection(section, typeof(TOptions)));
        services.AddOptions<TOptions>().Configure(values.Bind).ValidateOnStart();
        return services.AddSingleton<IValidateOptions<TOptions>>(new Validation<TOptions>(values.Problems));
    }

    /// <summary>
    /// Reads a section before services exist. A value that cannot be read has its default here;
    /// <see cref="ValidateConfiguration"/> reports it with everything else that is wrong.
    /// </summary>
    /// <typeparam name="TOptions">The options.</typeparam>
    /// <param name="configuration">The whole configuration.</param>
    /// <param name="section">The section's path; empty for the settings that are in no section.</param>
    public static TOptions ReadOptions<TOptions>(this IConfiguration configuration, string section)
        where TOptions : class, new()
    {
        var options = new TOptions();
        new SectionValues(configuration, new OptionsSection(section, typeof(TOptions))).Bind(options);
        return options;
    }

    /// <summary>Checks all registered options now, instead of when the process starts.</summary>
    /// <param name="services">The application's services.</param>
    /// <exception cref="InvalidConfigurationException">Some cannot be used; the message lists all problems.</exception>
    public static void ValidateConfiguration(this IServiceProvider services)
    {
        try
        {
            services.GetService<IStartupValidator>()?.Validate();
        }
        catch (OptionsValidationException invalid)
        {
            throw new InvalidConfigurationException([.. invalid.Failures]);
        }
        catch (AggregateException several) when (several.InnerExceptions.All(invalid => invalid is OptionsValidationException))
        {
            throw new InvalidConfigurationException([
                .. several.InnerExceptions.Cast<OptionsValidationException>().SelectMany(invalid => invalid.Failures),
            ]);
        }
    }

    private sealed class Validation<TOptions>(IReadOnlyList<string> unreadable) : IValidateOptions<TOptions>
        where TOptions : class
    {
        public ValidateOptionsResult Validate(string? name, TOptions options)
        {
            string[] problems = [.. unreadable, .. (options as IValidatedOptions)?.Validate() ?? []];
            return problems.Length > 0 ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
        }
    }
}
