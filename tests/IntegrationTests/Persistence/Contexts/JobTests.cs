using MassTransit;
using MassTransit.Contracts.JobService;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Sagas.IntegrationTests.Persistence.Contexts;

/// <summary>MassTransit's job service and futures keep their state here.</summary>
public sealed class JobTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    [Fact]
    public async Task A_job_consumer_runs_and_its_job_is_completed()
    {
        await using var host = await ContextHost<JobsContext>.StartAsync(
            servers,
            new ContextSetup
            {
                Bus = bus =>
                {
                    bus.AddConsumer<ResizeConsumer>();
                    bus.AddJobSagaStateMachines()
                        .EntityFrameworkRepository(repository =>
                        {
                            repository.ExistingDbContext<JobsContext>();
                            repository.UsePostgres();
                        });
                },
                Outbox = false,
                Factory = factory => ((IInMemoryBusFactoryConfigurator)factory).UseDelayedMessageScheduler(),
            }
        );
        await using var scope = host.Services.CreateAsyncScope();
        var client = scope.ServiceProvider.GetRequiredService<IRequestClient<Resize>>();

        var jobId = await client.SubmitJob(new Resize("cat.png"));

        await host.Arrivals.CountAsync("cat.png", 1);
        await Eventually.TrueAsync(
            "the job is completed",
            () =>
                host.WithContextAsync(db =>
                    db.Set<JobSaga>().AnyAsync(job => job.CorrelationId == jobId && job.Completed != null)
                )
        );
    }

    [Fact]
    public async Task A_future_of_a_routing_slip_completes_with_its_result()
    {
        await using var host = await ContextHost<FuturesContext>.StartAsync(
            servers,
            new ContextSetup
            {
                Bus = bus =>
                {
                    bus.AddFuture<ThumbnailFuture>();
                    bus.AddExecuteActivity<ResizeActivity, IResizeArguments>();
                    bus.SetEntityFrameworkSagaRepositoryProvider(repository =>
                    {
                        repository.ExistingDbContext<FuturesContext>();
                        repository.UsePostgres();
                    });
                },
            }
        );
        await using var scope = host.Services.CreateAsyncScope();
        var client = scope.ServiceProvider.GetRequiredService<IRequestClient<IThumbnailOrdered>>();

        var answer = await client.GetResponse<IThumbnailMade>(
            new { CorrelationId = NewId.NextGuid(), Name = "cat.png" },
            timeout: Eventually.Timeout
        );

        Assert.Equal("small-cat.png", answer.Message.Name);
        Assert.Equal(1, await host.WithContextAsync(db => db.Set<FutureState>().CountAsync(future => future.Completed != null)));
    }

    public sealed record Resize(string Name);

    public interface IThumbnailOrdered : CorrelatedBy<Guid>
    {
        string Name { get; }
    }

    public interface IThumbnailMade
    {
        string Name { get; }
    }

    public interface IResizeArguments
    {
        string Name { get; }
    }

    private sealed class ResizeConsumer(IBus bus) : IJobConsumer<Resize>
    {
        public Task Run(JobContext<Resize> context) => bus.Publish(new WorkDone(context.Job.Name, 0));
    }

    private sealed class ResizeActivity : IExecuteActivity<IResizeArguments>
    {
        public Task<ExecutionResult> Execute(ExecuteContext<IResizeArguments> context) =>
            Task.FromResult(context.CompletedWithVariables(new { Result = "small-" + context.Arguments.Name }));
    }

    private sealed class ThumbnailFuture : Future<IThumbnailOrdered, IThumbnailMade>
    {
        public ThumbnailFuture()
        {
            ConfigureCommand(command => command.CorrelateById(context => context.Message.CorrelationId));
            ExecuteRoutingSlip(slip =>
            {
                slip.BuildItinerary(
                    (context, builder) =>
                    {
                        builder.AddActivity("resize", new Uri("queue:Resize_execute"), new { context.Message.Name });
                        return Task.CompletedTask;
                    }
                );
                slip.OnRoutingSlipCompleted(completed =>
                    completed.SetCompletedUsingInitializer(context => new { Name = context.GetVariable<string>("Result") })
                );
            });
        }
    }

    private sealed class JobsContext(DbContextOptions<JobsContext> options) : JobServiceSagaDbContext(options);

    private sealed class FuturesContext(DbContextOptions<FuturesContext> options) : FutureSagaDbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            base.OnModelCreating(modelBuilder);
            modelBuilder.AddTransactionalOutboxEntities();
        }
    }
}
