using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sagas.Host;
using Sagas.Services;
using Sagas.Services.Modules;

namespace Sagas.IntegrationTests.Host;

/// <summary>A process that ends because of a fault.</summary>
public sealed class ExitCodeTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task A_background_service_that_fails_ends_the_program_with_a_code_that_is_not_0()
    {
        await using var system = await TestSystem.CreateAsync(servers, ("Roles", "faulty"));

        var code = await SagasHost.RunAsync(
            [
                .. system
                    .Settings.Where(setting => setting.Value is not null)
                    .Select(setting => $"--{setting.Key}={setting.Value}"),
            ],
            new Features([.. Features.Product.Modules, new FaultyModule()])
        );

        Assert.Equal(1, code);
    }

    private sealed class FaultyModule : FeatureModule
    {
        public override IReadOnlyList<Role> Roles { get; } = [new("faulty", "fails")];

        public override void AddServices(IServiceCollection services, FeatureContext context) =>
            services.AddHostedService<FaultyService>();
    }

    private sealed class FaultyService : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new NotSupportedException("A fault of the test.");
        }
    }
}
