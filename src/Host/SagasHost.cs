using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Sagas.Host.Bus;
using Sagas.Host.Health;
using Sagas.Host.Logs;
using Sagas.Host.Settings;
using Sagas.Services;
using Sagas.Services.Modules;
using Sagas.Services.ObjectStatus;

namespace Sagas.Host;

/// <summary>The services process.</summary>
public static partial class SagasHost
{
    private const int ConfigurationRefused = 2;
    private const int Failed = 1;

    /// <summary>Composes a services process; nothing is connected to before it is started.</summary>
    /// <param name="args">Command line, <c>--Key=value</c> for any configuration key.</param>
    /// <param name="settings">Configuration keys that override every other source.</param>
    /// <returns>The application; once <c>StartAsync</c> has returned, the schema is migrated and every endpoint bound.</returns>
    /// <exception cref="SettingsRefusedException">The configuration cannot be used; the message says what to change.</exception>
    public static WebApplication Create(string[] args, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        if (settings is not null)
            builder.Configuration.AddInMemoryCollection(settings);
        var host = HostSettings.Read(builder.Configuration);
        HttpAddresses.Use(builder.WebHost, builder.Configuration, host.Roles.Has(ObjectStatusModule.CallbackRole));
        builder.AddLogs(host);
        AddServices(builder.Services, host, builder.Configuration);
        var app = builder.Build();
        ValidateFeatures(app.Services);
        HttpFaults.Use(app);
        app.MapHealth();
        foreach (var module in Features.All)
            module.MapEndpoints(app, host.Roles);
        if (host.KeysWithDevelopmentPassword.Count > 0)
            LogDevelopmentPassword(app.Logger, string.Join(", ", host.KeysWithDevelopmentPassword));
        foreach (var (key, meant) in UnknownSettings.In(builder.Configuration))
            LogUnknownSetting(app.Logger, key, meant is null ? "" : $"; was {meant} meant?");
        return app;
    }

    /// <summary>Runs a services process until it is told to stop.</summary>
    /// <param name="args">Command line; <c>--health</c> asks a running process whether it is ready instead.</param>
    /// <returns>Exit code: 0 stopped, 1 failed or not ready, 2 the configuration cannot be used.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            if (args.Contains("--health"))
                return await HealthProbe.RunAsync(WebApplication.CreateSlimBuilder().Configuration, Console.Out);
            await using var app = Create(args);
            await app.RunAsync();
            return 0;
        }
        catch (SettingsRefusedException refused)
        {
            await Console.Error.WriteLineAsync($"The configuration cannot be used. {refused.Message}");
            return ConfigurationRefused;
        }
        // Told to stop while it was still waiting for the database or the broker.
        catch (OperationCanceledException)
        {
            return 0;
        }
        // Its message names the address.
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            await Console.Error.WriteLineAsync(
                $"{exception.Message.TrimEnd('.')}: stop the program that uses it, or choose another port with ASPNETCORE_HTTP_PORTS, or ObjectStatus__CallbackPort for the callback.");
            return Failed;
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync($"Stopped: {exception}");
            return Failed;
        }
    }

    // Now instead of at the start, which may wait for the broker first.
    private static void ValidateFeatures(IServiceProvider services)
    {
        try
        {
            services.GetService<IStartupValidator>()?.Validate();
        }
        catch (OptionsValidationException refused)
        {
            throw new SettingsRefusedException([.. refused.Failures]);
        }
        // What .NET says when it binds a value of the wrong type: it names the key, the value and the type.
        catch (InvalidOperationException refused) when (refused.Message.StartsWith("Failed to convert configuration value", StringComparison.Ordinal))
        {
            throw new SettingsRefusedException([ConversionProblem.Describe(refused.Message)]);
        }
    }

    private static void AddServices(IServiceCollection services, HostSettings settings, IConfiguration configuration)
    {
        // More than the bus gets, so that it is the bus that decides when to give up.
        services.Configure<HostOptions>(options => options.ShutdownTimeout = settings.ShutdownTimeout + TimeSpan.FromSeconds(2));
        services.AddSingleton(TimeProvider.System);
        services.AddHostedService<Telemetry>();
        services.AddSingleton(settings);
        services.AddDatabase(settings);
        services.AddSingleton(Options.Create(settings.Operations));
        HttpFaults.Add(services);
        // The migrations come first: hosted services start in the order of their registration.
        services.AddHealth();
        if (settings.UsesRabbitMq)
            services.AddHostedService<QueueDeployment>();
        services.AddBus(settings, configuration);
        var context = new FeatureContext(settings.Roles, configuration, settings.Messages);
        foreach (var module in Features.All)
            module.AddServices(services, context);
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The password in {Keys} is the development default, which everyone can read in the repository: "
            + "set another before anyone but you can reach this system")]
    private static partial void LogDevelopmentPassword(ILogger logger, string keys);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The setting {Key} is not known and changes nothing{Meant}")]
    private static partial void LogUnknownSetting(ILogger logger, string key, string meant);
}
