using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Sagas.Configuration;
using Sagas.Host.Bus;
using Sagas.Host.Database;
using Sagas.Host.Health;
using Sagas.Host.Http;
using Sagas.Host.Logs;
using Sagas.Host.Settings;
using Sagas.Host.Telemetry;
using Sagas.Persistence;
using Sagas.Services;
using Sagas.Services.Http;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using Sagas.Services.ObjectStatus;
using Sagas.Services.Operations.Reads;

namespace Sagas.Host;

/// <summary>The services process.</summary>
public static partial class SagasHost
{
    private const int InvalidConfiguration = 2;
    private const int Failed = 1;

    /// <summary>Composes a services process; nothing is connected to before it is started.</summary>
    /// <param name="args">Command line, <c>--Key=value</c> for any configuration key.</param>
    /// <param name="settings">Configuration keys that override every other source.</param>
    /// <param name="features">What the process can run; the product's features by default.</param>
    /// <returns>The application; once <c>StartAsync</c> has returned, the schema is migrated and every endpoint bound.</returns>
    /// <exception cref="InvalidConfigurationException">The configuration cannot be used; the message says what to
    /// change.</exception>
    public static WebApplication Create(
        string[] args,
        IReadOnlyDictionary<string, string?>? settings = null,
        Features? features = null
    )
    {
        features ??= Features.Product;
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory }
        );
        if (settings is not null)
            builder.Configuration.AddInMemoryCollection(settings);
        var process = builder.Configuration.ReadOptions<ProcessOptions>(ProcessOptions.Section);
        var roles = process.RolesAmong(features);
        HttpAddresses.Use(builder.WebHost, builder.Configuration, roles.Has(ObjectStatusModule.CallbackRole));
        builder.AddLogs(roles);
        builder.AddTelemetry();
        AddServices(builder.Services, builder.Configuration, features, process, roles);
        var app = builder.Build();
        // Now instead of at the start, which may wait for the broker first.
        app.Services.ValidateConfiguration();
        app.UseRequestLog();
        HttpFaults.Use(app);
        app.UseKnownQueryParameters();
        app.MapHealth();
        foreach (var module in features.Modules)
            module.MapEndpoints(app, roles);
        WarnOfDevelopmentPasswords(app);
        app.Logger.WarnOfUnknownSettings(Sections.Unknown(features), builder.Configuration);
        return app;
    }

    /// <summary>Runs a services process until it is stopped.</summary>
    /// <param name="args">Command line; <c>--health</c> asks a running process whether it is ready instead.</param>
    /// <param name="features">What the process can run; the product's features by default.</param>
    /// <returns>Exit code: 0 stopped, 1 failed or not ready, 2 the configuration cannot be used.</returns>
    public static async Task<int> RunAsync(string[] args, Features? features = null)
    {
        try
        {
            if (args.Contains("--health"))
                return await HealthProbe.RunAsync(WebApplication.CreateSlimBuilder().Configuration, Console.Out);
            await using var app = Create(args, features: features);
            return await RunAsync(app);
        }
        catch (InvalidConfigurationException invalid)
        {
            await Console.Error.WriteLineAsync($"The configuration cannot be used. {invalid.Message}");
            return InvalidConfiguration;
        }
        catch (SchemaMigrationException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return Failed;
        }
        // Its message names the address.
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            await Console.Error.WriteLineAsync(
                $"{exception.Message.TrimEnd('.')}: stop the program that uses it, "
                    + "or choose another port with ASPNETCORE_HTTP_PORTS, "
                    + "or ObjectStatus__CallbackPort for the callback."
            );
            return Failed;
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync($"Stopped: {exception}");
            return Failed;
        }
    }

    private static async Task<int> RunAsync(WebApplication app)
    {
        // Resolved now: running the application disposes its services.
        var background = app.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToArray();
        try
        {
            await app.RunAsync();
        }
        catch (OperationCanceledException)
        {
            // Stopped while it was still waiting for the database or the broker.
        }
        // A background service that fails stops the application, which is an end like any other to it.
        return background.Any(service => service.ExecuteTask is { IsFaulted: true }) ? Failed : 0;
    }

    private static void AddServices(
        IServiceCollection services,
        IConfiguration configuration,
        Features features,
        ProcessOptions process,
        RoleSet roles
    )
    {
        // More than the bus gets, so that it is the bus that decides when to give up.
        services.Configure<HostOptions>(options => options.ShutdownTimeout = process.ShutdownTimeout + TimeSpan.FromSeconds(2));
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(features);
        services.AddSettings(configuration, features);
        services.AddDatabase(features);
        HttpFaults.Add(services);
        // The migrations come first: hosted services start in the order of their registration.
        services.AddSchemaMigration();
        var transport = configuration.ReadOptions<BusOptions>(BusOptions.Section).Transport;
        services.AddHealth(transport);
        if (transport == BusTransport.RabbitMq)
        {
            services.AddSingleton<BrokerConnections>();
            services.AddSingleton<BrokerVersion>();
            services.AddSingleton<IQueueDepths, BrokerQueueDepths>();
            services.AddSingleton<QueueConflicts>();
            services.AddHostedService<TopologyDeployment>();
        }

        var context = new FeatureContext(
            roles,
            configuration,
            configuration.ReadOptions<MessagesOptions>(MessagesOptions.Section)
        );
        services.AddBus(features, context, transport);
        foreach (var module in features.Modules)
            module.AddServices(services, context);
    }

    private static void WarnOfDevelopmentPasswords(WebApplication app)
    {
        List<string> keys = [];
        if (app.Services.GetRequiredService<IOptions<DatabaseOptions>>().Value.HasDevelopmentPassword)
            keys.Add("ConnectionStrings:Postgres");
        if (app.Services.GetRequiredService<IOptions<RabbitMqOptions>>().Value.HasDevelopmentPassword)
            keys.Add("RabbitMq:Uri");
        if (keys.Count > 0)
            LogDevelopmentPassword(app.Logger, string.Join(", ", keys));
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The password in {Keys} is the development default, which is published in the repository: "
            + "change it before others can reach this system"
    )]
    private static partial void LogDevelopmentPassword(ILogger logger, string keys);
}
