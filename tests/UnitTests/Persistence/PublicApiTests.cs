using MassTransit.EntityFrameworkCoreIntegration;
using PublicApiGenerator;

namespace Sagas.UnitTests.Persistence;

/// <summary>The public surface of the persistence package, recorded in a file, so that a change of it is seen.</summary>
public sealed class PublicApiTests
{
    private static readonly ApiGeneratorOptions _options = new() { IncludeAssemblyAttributes = false };

    [Fact]
    public void The_public_surface_is_the_recorded_one()
    {
        var file = Path.Combine(Repository.Root, "src/Persistence/PublicApi.txt");
        var surface = typeof(SagaDbContext).Assembly.GeneratePublicApi(_options).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable("SAGAS_RENEW_DOCS") is not null)
            File.WriteAllText(file, surface);

        Assert.Equal(File.ReadAllText(file), surface);
    }
}
