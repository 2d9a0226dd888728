using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.OutboundCalls;
using Sagas.Services.Payments;

namespace Sagas.IntegrationTests.OutboundCalls;

/// <summary>Which target a test calls and how.</summary>
internal sealed record TargetSettings(Uri Url, CallMode Mode)
{
    /// <summary>Calls time out and leases end only when a test makes them, not because the machine is busy.</summary>
    public static TimeSpan Never { get; } = TimeSpan.FromHours(1);

    public OutboundCallOptions Options { get; init; } =
        new()
        {
            CallTimeout = Never,
            LeaseMargin = Never,
            PollInterval = TimeSpan.FromMilliseconds(20),
            BreakerDelay = TimeSpan.FromMilliseconds(500),
            MaxBreakerDelay = TimeSpan.FromMilliseconds(500),
            BreakerFailureRatio = 1,
            // Nearly every call of these tests fails, which must not reduce them to one at a time.
            MinConcurrency = 8,
        };

    public CallRetryOptions Retry { get; init; } =
        new() { Delay = TimeSpan.FromMilliseconds(5), MaxDelay = TimeSpan.FromMilliseconds(50) };

    /// <summary>The clock, which also ends calls that hang.</summary>
    public CallTime TimeProvider { get; } = new();

    /// <summary>Raised before a request is built.</summary>
    public Action? Building { get; init; }

    /// <summary>Raised when a successful answer is read.</summary>
    public Action? Answered { get; init; }

    /// <summary>Awaited when an outcome is written and about to be committed.</summary>
    public Func<CancellationToken, Task> Committing { get; init; } = _ => Task.CompletedTask;
}

/// <summary>The gateway with the call mode of a test.</summary>
internal sealed class TestTarget(TargetSettings settings) : CallTarget
{
    private readonly PaymentGateway _gateway = new(
        Microsoft.Extensions.Options.Options.Create(
            new PaymentsOptions { GatewayUrl = settings.Url.ToString(), Calls = settings.Options }
        ),
        settings.TimeProvider
    );

    public override string Name => PaymentGateway.TargetName;

    public override CallMode Mode => settings.Mode;

    public override OutboundCallOptions Options => settings.Options;

    public override RetryPolicy Retry { get; } = RetryPolicy.Exponential(settings.Retry);

    public override TimeSpan LookupDelay => TimeSpan.FromMilliseconds(20);

    public override HttpRequestMessage CreateRequest(OutboundCall call)
    {
        settings.Building?.Invoke();
        settings.TimeProvider.NextIs(call.IdempotencyKey);
        return _gateway.CreateRequest(call);
    }

    public override CallOutcome ReadSuccess(OutboundCall call, CallResponse answer)
    {
        settings.Answered?.Invoke();
        return _gateway.ReadSuccess(call, answer);
    }

    public override async Task<bool> ApplyAsync(
        DbContext database,
        IReadOnlyList<CompletedCall> completed,
        CancellationToken cancellationToken
    )
    {
        await settings.Committing(cancellationToken);
        return false;
    }

    public override CallOutcome ReadRejection(OutboundCall call, CallResponse answer) => _gateway.ReadRejection(call, answer);

    public override HttpRequestMessage CreateLookup(OutboundCall call)
    {
        settings.TimeProvider.NextIs(call.IdempotencyKey);
        return new(HttpMethod.Get, new Uri(settings.Url, "payments/" + call.IdempotencyKey));
    }

    public override CallOutcome ReadLookup(OutboundCall call, CallResponse answer) =>
        answer.Code switch
        {
            200 => _gateway.ReadSuccess(call, answer),
            404 => CallOutcome.Retryable("404 to the lookup"),
            _ => base.ReadLookup(call, answer),
        };
}

/// <summary>A process that makes calls, without a broker: outgoing messages stay in the outbox, where tests count them.</summary>
internal sealed class CallProcess : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly CallDispatcher _dispatcher;
    private readonly RecordedWarnings _warnings;

    private CallProcess(IHost host, RecordedWarnings warnings)
    {
        (_host, _warnings) = (host, warnings);
        _dispatcher = host.Services.GetServices<IHostedService>().OfType<CallDispatcher>().Single();
    }

    public CallTargetStatus Status => _host.Services.GetRequiredService<OutboundCallStatus>().Targets.Single();

    /// <summary>What it has logged that needs attention.</summary>
    public IReadOnlyCollection<string> Warnings => _warnings.Lines;

    public static CallProcess Create(string connection, TargetSettings settings, Action<IServiceCollection>? more = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        var warnings = new RecordedWarnings();
        builder.Logging.AddFilter(level => level >= LogLevel.Warning).AddProvider(warnings);
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton<TimeProvider>(settings.TimeProvider);
        builder.Services.AddDbContext<SagasDbContext>(options => options.UseNpgsql(connection));
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddEntityFrameworkOutbox<SagasDbContext>(outbox =>
            {
                outbox.UsePostgres();
                outbox.UseBusOutbox(busOutbox => busOutbox.DisableDeliveryService());
            });
            bus.UsingInMemory();
        });
        builder.Services.AddCallTarget<TestTarget, SagasDbContext>(PaymentGateway.TargetName);
        more?.Invoke(builder.Services);
        return new(builder.Build(), warnings);
    }

    public static async Task<CallProcess> StartAsync(string connection, TargetSettings settings)
    {
        var process = Create(connection, settings);
        await process.StartAsync();
        return process;
    }

    public Task StartAsync() => _dispatcher.StartAsync(CancellationToken.None);

    /// <summary>Stops as SIGKILL does: once it returns, nothing more is claimed, called or written.</summary>
    public async Task KillAsync()
    {
        await _dispatcher.StopAsync(new CancellationToken(canceled: true));
        // A claim in flight would still take a call whose lease the test has ended meanwhile.
        if (_dispatcher.ExecuteTask is { } executing)
            await executing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Stops as SIGTERM does.</summary>
    public Task StopAsync() => _dispatcher.StopAsync(CancellationToken.None);

    /// <summary>Enters payments, as the consumer does.</summary>
    public async Task EnterAsync(params IEnumerable<string> keys)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<SagasDbContext>();
        var target = scope.ServiceProvider.GetRequiredService<TestTarget>();
        await using var transaction = await database.Database.BeginTransactionAsync();
        foreach (var key in keys)
        {
            var payment = new ProcessPayment(key, "customer-of-" + key, 12.34m, "EUR");
            await CallQueue.EnqueueAsync(database, target, key, payment, Guid.NewGuid(), Guid.NewGuid(), CancellationToken.None);
        }

        await transaction.CommitAsync();
        _host.Services.GetRequiredService<CallSignal<TestTarget>>().Raise();
    }

    /// <summary>Retries a parked payment, as an operator does.</summary>
    public async Task RetryAsync(string key)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        var connection = scope.ServiceProvider.GetRequiredService<SagasDbContext>().Database.GetConnectionString()!;
        await using var database = NpgsqlDataSource.Create(connection);
        await ParkedCalls.RetryAsync(database, new() { Target = PaymentGateway.TargetName, Keys = [key] }, default);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _host.Dispose();
    }
}
