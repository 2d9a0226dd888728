using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.Database;

/// <summary>Adds sagas to <see cref="SagasDbContext"/>.</summary>
public static class SagaMaps
{
    /// <summary>Adds the maps of further sagas.</summary>
    /// <param name="options">The context's options.</param>
    /// <param name="maps">The maps.</param>
    public static DbContextOptionsBuilder UseSagaMaps(this DbContextOptionsBuilder options, IReadOnlyList<ISagaClassMap> maps)
    {
        if (maps.Count > 0)
            ((IDbContextOptionsBuilderInfrastructure)options).AddOrUpdateExtension(new SagaMapsExtension(maps));
        return options;
    }
}

/// <summary>The maps among a context's options. By <see cref="Info"/>, EF keeps a model for each set of them.</summary>
internal sealed class SagaMapsExtension(IReadOnlyList<ISagaClassMap> maps) : IDbContextOptionsExtension
{
    public IReadOnlyList<ISagaClassMap> Maps { get; } = maps;

    public DbContextOptionsExtensionInfo Info => new MapsInfo(this);

    public void ApplyServices(IServiceCollection services) { }

    public void Validate(IDbContextOptions options) { }

    private sealed class MapsInfo(SagaMapsExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        private readonly string _types = string.Join(", ", extension.Maps.Select(map => map.GetType().FullName));

        public override bool IsDatabaseProvider => false;

        public override string LogFragment => $"sagas: {_types} ";

        public override int GetServiceProviderHashCode() => _types.GetHashCode(StringComparison.Ordinal);

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) =>
            other is MapsInfo info && info._types == _types;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo) => debugInfo["Sagas:Maps"] = _types;
    }
}
