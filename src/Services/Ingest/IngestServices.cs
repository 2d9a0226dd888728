using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Sagas.Services.Files;
using Sagas.Services.Messages;

namespace Sagas.Services.Ingest;

/// <summary>Registers what takes files of customers in.</summary>
public static class IngestServices
{
    /// <summary>Registers the watched folder and the uploads, with options from section <c>Ingest</c>. Wrong options stop the start with
    /// <see cref="OptionsValidationException"/>.</summary>
    /// <param name="services">The services; Npgsql's data source must be among them.</param>
    /// <param name="configuration">The configuration's root.</param>
    /// <param name="rules">What customers must fulfil.</param>
    public static IServiceCollection AddIngestServices(this IServiceCollection services, IConfiguration configuration, MessagesOptions rules)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<IngestOptions>().Bind(configuration.GetSection(IngestOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<IngestOptions>, IngestOptionsValidation>();
        services.TryAddSingleton<FileRegister>();
        services.TryAddSingleton<RejectedRows>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<CustomerIngest>(provider, rules));
        services.AddSingleton<FileIntake>();
        services.AddHostedService<FolderWorker>();
        services.AddSingleton<UploadWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<UploadWorker>());
        return services;
    }

    private sealed class IngestOptionsValidation : IValidateOptions<IngestOptions>
    {
        public ValidateOptionsResult Validate(string? name, IngestOptions options) =>
            options.Problems().ToArray() is { Length: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }
}
