using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Sagas.Services.Modules;

/// <summary>Options that say what is wrong with them.</summary>
public interface IValidatedOptions
{
    /// <summary>What is wrong with these options, one sentence each; empty where they can be used.</summary>
    IEnumerable<string> Validate();
}

/// <summary>Registers options that are validated before the process starts.</summary>
public static class ValidatedOptions
{
    /// <summary>Binds a section. Invalid values stop the start with <see cref="OptionsValidationException"/>.</summary>
    /// <typeparam name="TOptions">The options.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The whole configuration.</param>
    /// <param name="section">The section's path.</param>
    public static IServiceCollection AddValidatedOptions<TOptions>(
        this IServiceCollection services, IConfiguration configuration, string section)
        where TOptions : class, IValidatedOptions
    {
        services.AddOptions<TOptions>().Bind(configuration.GetSection(section)).ValidateOnStart();
        return services.AddSingleton<IValidateOptions<TOptions>, Validation<TOptions>>();
    }

    private sealed class Validation<TOptions> : IValidateOptions<TOptions>
        where TOptions : class, IValidatedOptions
    {
        public ValidateOptionsResult Validate(string? name, TOptions options) =>
            options.Validate().ToArray() is { Length: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }
}
