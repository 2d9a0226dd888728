using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.IntegrationTests.Persistence;

/// <summary>Maps orders without their lines: to a row each, as consumes that share a transaction need it.</summary>
internal sealed class PlainOrders : IDbContextOptionsExtension
{
    public DbContextOptionsExtensionInfo Info => new ModelOfItsOwn(this);

    public void ApplyServices(IServiceCollection services) { }

    public void Validate(IDbContextOptions options) { }

    private sealed class ModelOfItsOwn(IDbContextOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        public override bool IsDatabaseProvider => false;

        public override string LogFragment => "";

        public override int GetServiceProviderHashCode() => 1;

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is ModelOfItsOwn;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo) { }
    }
}
