using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Sagas.Persistence;

/// <summary>Registers services that run around the bus.</summary>
internal static class HostedServiceExtensions
{
    /// <summary>
    /// Registers services that start before the bus and stop after it. Hosted services stop in the opposite order of their
    /// registration.
    /// </summary>
    /// <param name="services">The registrations.</param>
    /// <param name="hosted">The services, in the order of their start.</param>
    public static void AddBeforeBus(this IServiceCollection services, params ReadOnlySpan<ServiceDescriptor> hosted)
    {
        var bus = services.FirstOrDefault(service =>
            service.ServiceType == typeof(IHostedService) && service.ImplementationType == typeof(MassTransitHostedService)
        );
        var place = bus is null ? services.Count : services.IndexOf(bus);
        foreach (var service in hosted)
            services.Insert(place++, service);
    }
}
