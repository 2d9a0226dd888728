using System.Globalization;
using Microsoft.AspNetCore.HttpLogging;
using Sagas.Configuration;
using Sagas.Host.Bus;
using Sagas.Host.Settings;
using Sagas.Services.Modules;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Compact;
using Serilog.Formatting.Display;
using Serilog.Settings.Configuration;

namespace Sagas.Host.Logs;

/// <summary>Sends everything that is logged to the console, through Serilog.</summary>
internal static class LogRegistration
{
    private const string Text = "{Timestamp:HH:mm:ss.fff} {Level:u3} {SourceContext}: {Message:lj}";

    public static void AddLogs(this WebApplicationBuilder builder, RoleSet roles) =>
        builder.Services.AddSerilog(
            logger => Configure(logger, builder.Configuration, roles),
            // Several hosts may run in one process.
            preserveStaticLogger: true
        );

    /// <summary>Logs each request in a line.</summary>
    public static void UseRequestLog(this WebApplication app) =>
        app.UseSerilogRequestLogging(options => options.GetLevel = (context, _, exception) => LevelOf(context, exception));

    /// <summary>Whether the line repeats another, or does not report a fault.</summary>
    internal static bool IsNoise(LogEvent entry) =>
        IsNoFault(entry)
        || (entry.Level <= LogEventLevel.Information && entry.Properties.ContainsKey(TopologyDeployment.OnlyProblems));

    /// <summary>
    /// Requests that only read are not worth a line, nor are those of endpoints with <see cref="HttpLoggingFields.None"/>,
    /// which come by the thousand.
    /// </summary>
    internal static LogEventLevel LevelOf(HttpContext context, Exception? exception) =>
        exception is not null || context.Response.StatusCode >= StatusCodes.Status500InternalServerError ? LogEventLevel.Warning
        : context.GetEndpoint()?.Metadata.GetMetadata<HttpLoggingAttribute>() is { LoggingFields: HttpLoggingFields.None }
            ? LogEventLevel.Debug
        : context.Response.StatusCode < StatusCodes.Status400BadRequest && HttpMethods.IsGet(context.Request.Method)
            ? LogEventLevel.Debug
        : LogEventLevel.Information;

    private static void Configure(LoggerConfiguration configuration, IConfiguration settings, RoleSet roles)
    {
        configuration
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.Hosting.Lifetime", LogEventLevel.Information)
            // What fails here is retried or reported by its caller.
            .MinimumLevel.Override("Microsoft.EntityFrameworkCore", LogEventLevel.Fatal)
            // The caller receives it in the response.
            .MinimumLevel.Override("Microsoft.Extensions.Diagnostics.HealthChecks", LogEventLevel.Fatal)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            .Enrich.FromLogContext()
            .Enrich.WithProperty("Roles", roles.ToString());
        var mask = new PersonalDataMask();
        configuration.Destructure.With(mask).Enrich.With(mask);
        configuration.WriteTo.Sink(
            new FaultThrottlingSink(Console(settings.ReadOptions<LoggingOptions>(LoggingOptions.Section).Format))
        );
        configuration.Filter.ByExcluding(IsNoise);
        // Last, so that the section Serilog can change every level. Assemblies that are not named would be looked up in the
        // program's deps.json, which a program published as part of another does not have.
        var assemblies = new ConfigurationReaderOptions(typeof(ConsoleLoggerConfigurationExtensions).Assembly);
        configuration.ReadFrom.Configuration(settings, assemblies);
    }

    private static Logger Console(LogFormat format) =>
        new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.Console(Formatter(format)).CreateLogger();

    /// <summary>Writes the events of a format.</summary>
    internal static ITextFormatter Formatter(LogFormat format) =>
        format == LogFormat.Json
            ? new LineFormatter(new RenderedCompactJsonFormatter(), exceptions: false)
            : new LineFormatter(new MessageTemplateTextFormatter(Text, CultureInfo.InvariantCulture), exceptions: true);

    private static bool IsNoFault(LogEvent entry) =>
        entry.Exception is not null
        && Source(entry) switch
        {
            // A stop while waiting for the database or the broker.
            "Microsoft.Extensions.Hosting.Internal.Host" => entry.Exception is OperationCanceledException,
            "MassTransit" or "MassTransit.ReceiveTransport" => IsNoise(entry.MessageTemplate.Text, entry.Exception),
            _ => false,
        };

    private static bool IsNoise(string text, Exception exception) =>
        text.Split(' ')[0] switch
        {
            // For every message that waits for the database; the retry policy reports it in one line.
            "R-RETRY" => TransientFaults.Classify(exception) is FaultKind.Transient or FaultKind.Race,
            // For every invalid message; its dead letter's line has the reason.
            "R-FAULT" => TransientFaults.Classify(exception) is FaultKind.InvalidMessage,
            // For every message that a stopping process returns to its queue.
            "T-FAULT" => exception is OperationCanceledException,
            // For every endpoint, each time that "Connection Failed" has given the reason.
            "Retrying" => TransientFaults.Classify(exception) is FaultKind.Transient,
            _ => false,
        };

    private static string? Source(LogEvent entry) =>
        entry.Properties.TryGetValue("SourceContext", out var context) && context is ScalarValue { Value: string name }
            ? name
            : null;
}
