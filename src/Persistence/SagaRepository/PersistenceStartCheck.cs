using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Sagas.Persistence;

/// <summary>Stops a program from starting whose sagas could not be saved, where their first message would fail
/// otherwise.</summary>
/// <param name="scopeFactory">Creates the scope of the contexts.</param>
/// <param name="sagas">The sagas.</param>
internal sealed class PersistenceStartCheck(IServiceScopeFactory scopeFactory, IEnumerable<EntityFrameworkSaga> sagas)
    : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopeFactory.CreateAsyncScope();
        foreach (var saga in sagas)
        {
            var contexts = saga.Contexts(scope.ServiceProvider);
            var dbContext = contexts.Create();
            Check(saga, dbContext);
            await contexts.ReleaseAsync(dbContext);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static void Check(EntityFrameworkSaga saga, DbContext dbContext)
    {
        var name = dbContext.GetType().Name;
        if (!dbContext.Database.IsNpgsql())
        {
            throw new ConfigurationException(
                $"{saga.SagaType.Name} is kept in Postgres: configure {name} with UseNpgsql(...); "
                    + $"it uses {dbContext.Database.ProviderName}."
            );
        }

        if (dbContext.Model.FindEntityType(saga.SagaType) is null)
        {
            throw new ConfigurationException(
                $"{saga.SagaType.Name} is not in the model of {name}: "
                    + $"add a SagaClassMap<{saga.SagaType.Name}> to its Configurations."
            );
        }
    }
}
