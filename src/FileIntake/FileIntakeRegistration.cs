using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Sagas.FileIntake.Storage;

namespace Sagas.FileIntake;

/// <summary>Registers the intake of a kind of file.</summary>
public static class FileIntakeRegistration
{
    /// <summary>Watches the handler's folder and processes its uploads. <see cref="FileEndpoints.MapFiles"/> receives
    /// these.</summary>
    /// <typeparam name="THandler">Processes the rows; the caller registers its options.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="kind">The handler's <see cref="IRowHandler.Kind"/>.</param>
    public static IServiceCollection AddFileIntake<THandler>(this IServiceCollection services, string kind)
        where THandler : class, IRowHandler
    {
        services.TryAddSingleton<FileStore>();
        services.TryAddSingleton<RejectedRows>();
        services.TryAddSingleton<THandler>();
        services.AddKeyedSingleton(
            kind,
            (provider, _) => ActivatorUtilities.CreateInstance<UploadWorker>(provider, provider.GetRequiredService<THandler>())
        );
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<UploadWorker>(kind));
        return services.AddSingleton<IHostedService>(provider =>
            ActivatorUtilities.CreateInstance<FolderWorker>(provider, provider.GetRequiredService<THandler>())
        );
    }
}
