using Sagas.Configuration;
using Sagas.Simulators.Crm;
using Sagas.Simulators.ObjectStatus;
using Sagas.Simulators.PaymentGateway;
using Sagas.Simulators.Webhooks;

namespace Sagas.Simulators;

/// <summary>The program that holds every simulated third party.</summary>
public static class SimulatorHost
{
    internal const string DefaultPort = "5081";

    private static readonly UnknownSettings _settings = new([
        new OptionsSection(GatewayOptions.Section, typeof(GatewayOptions)),
        new OptionsSection(CrmOptions.Section, typeof(CrmOptions)),
        new OptionsSection(ObjectStatusOptions.Section, typeof(ObjectStatusOptions)),
        new OptionsSection(WebhookOptions.Section, typeof(WebhookOptions)),
    ]);

    /// <summary>Builds the simulators, ready to be started.</summary>
    /// <param name="args">Command line, as configuration (<c>--Gateway:DeclineRate=0.1</c>).</param>
    /// <param name="settings">Settings that override every other source of configuration.</param>
    /// <param name="timeProvider">The clock of latencies and limits; the system's unless given.</param>
    /// <exception cref="InvalidConfigurationException">The configuration cannot be used; the message says what to
    /// change.</exception>
    /// <exception cref="IOException">The record file cannot be opened, or another process uses it.</exception>
    public static WebApplication Create(
        string[] args,
        IReadOnlyDictionary<string, string?>? settings = null,
        TimeProvider? timeProvider = null
    )
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        // A line for every request would cost more than answering it; the record has them all.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        // A start that fails throws; its stack trace beside the sentence would hide the sentence.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        if (settings is not null)
            builder.Configuration.AddInMemoryCollection(settings);
        ListenOnDefaultPortUnlessTold(builder);

        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.AddSingleton(timeProvider ?? TimeProvider.System);
        builder.Services.AddProblemDetails();
        builder.Services.AddHealthChecks();
        builder.AddPaymentGateway();
        builder.AddCrm();
        builder.AddObjectStatus();
        builder.AddWebhooks();

        var app = builder.Build();
        app.Services.ValidateConfiguration();
        app.Logger.WarnOfUnknownSettings(_settings, builder.Configuration);
        app.UseExceptionHandler(
            new ExceptionHandlerOptions
            {
                StatusCodeSelector = exception => exception is BadHttpRequestException bad ? bad.StatusCode : 500,
            }
        );
        app.UseStatusCodePages();
        app.MapHealthChecks("/health/live");
        app.MapHealthChecks("/health/ready");
        app.MapPaymentGateway();
        app.MapCrm();
        app.MapObjectStatus();
        app.MapWebhooks();
        return app;
    }

    private static void ListenOnDefaultPortUnlessTold(WebApplicationBuilder builder)
    {
        string[] keys = ["urls", "http_ports", "https_ports"];
        var configuration = builder.Configuration;
        if (keys.All(key => string.IsNullOrEmpty(configuration[key])) && !configuration.GetSection("Kestrel:Endpoints").Exists())
            builder.WebHost.UseUrls($"http://localhost:{DefaultPort}");
    }
}
