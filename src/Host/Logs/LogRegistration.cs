using System.Globalization;
using Sagas.Host.Bus;
using Sagas.Host.Settings;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Sagas.Host.Logs;

/// <summary>Sends everything that is logged to the console, through Serilog.</summary>
internal static class LogRegistration
{
    private const string Text =
        "{Timestamp:HH:mm:ss.fff} {Level:u3} {SourceContext}: {Message:lj}{NewLine}{Exception}";

    /// <summary>While this property is on the log's context, what is no problem is not told.</summary>
    public const string OnlyProblems = nameof(OnlyProblems);

    public static void AddLogs(this WebApplicationBuilder builder, HostSettings settings)
    {
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.Hosting.Lifetime", LogEventLevel.Information)
            // What fails here is retried or reported by whoever asked for it.
            .MinimumLevel.Override("Microsoft.EntityFrameworkCore", LogEventLevel.Fatal)
            // Whoever asked for it gets it as the answer.
            .MinimumLevel.Override("Microsoft.Extensions.Diagnostics.HealthChecks", LogEventLevel.Fatal)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            .Enrich.FromLogContext()
            .Enrich.WithProperty("Roles", settings.Roles.ToString());
        var mask = new PersonalDataMask();
        configuration.Destructure.With(mask).Enrich.With(mask);
        configuration.WriteTo.Sink(new FaultLines(Console(settings.LogsJson)));
        configuration.Filter.ByExcluding(IsNoise);
        // Last, so that the section Serilog can change every level.
        configuration.ReadFrom.Configuration(builder.Configuration);
        builder.Logging.ClearProviders();
        // Serilog alone decides about levels.
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        builder.Logging.AddSerilog(configuration.CreateLogger(), dispose: true);
    }

    private static Logger Console(bool json)
    {
        var console = new LoggerConfiguration().MinimumLevel.Verbose();
        return (json
            ? console.WriteTo.Console(new JsonLines())
            : console.WriteTo.Console(outputTemplate: Text, formatProvider: CultureInfo.InvariantCulture)).CreateLogger();
    }

    /// <summary>Whether another line says the same, or what the line tells is no fault.</summary>
    internal static bool IsNoise(LogEvent entry) => IsNoFault(entry) || (entry.Level <= LogEventLevel.Information && entry.Properties.ContainsKey(OnlyProblems));

    private static bool IsNoFault(LogEvent entry) => entry.Exception is not null && Source(entry) switch
    {
        // A stop while the database or the broker is waited for is no fault.
        "Microsoft.Extensions.Hosting.Internal.Host" => entry.Exception is OperationCanceledException,
        "MassTransit" or "MassTransit.ReceiveTransport" => IsNoise(entry.MessageTemplate.Text, entry.Exception),
        _ => false,
    };

    private static bool IsNoise(string text, Exception exception) => text.Split(' ')[0] switch
    {
        // For every message that has to wait for the database; the retry policy says so in a line.
        "R-RETRY" => TransientFaults.Classify(exception) is FaultKind.Transient or FaultKind.Race,
        // For every message that is refused; its dead letter's line has the reason.
        "R-FAULT" => TransientFaults.Classify(exception) is FaultKind.Refused,
        // For every message that a process which stops gives back.
        "T-FAULT" => exception is OperationCanceledException,
        // For every endpoint, each time that "Connection Failed" has said why.
        "Retrying" => TransientFaults.Classify(exception) is FaultKind.Transient,
        _ => false,
    };

    private static string? Source(LogEvent entry) =>
        entry.Properties.TryGetValue("SourceContext", out var context) && context is ScalarValue { Value: string name } ? name : null;
}
