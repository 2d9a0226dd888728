using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Sagas.Host.Telemetry;

/// <summary>Exports traces and metrics by OTLP when OpenTelemetry's own environment variables name a collector.</summary>
internal static class TelemetryRegistration
{
    private static readonly string[] _sources = ["MassTransit", "Sagas"];

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        if (string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            return;
        builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource.AddService("sagas", serviceInstanceId: $"{Environment.MachineName}-{Environment.ProcessId}")
            )
            .WithTracing(traces =>
                traces
                    .AddSource(_sources)
                    .AddAspNetCoreInstrumentation(options =>
                        options.Filter = context => !context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal)
                    )
                    .AddHttpClientInstrumentation()
                    .AddNpgsql()
            )
            .WithMetrics(metrics =>
                metrics
                    .AddMeter(_sources)
                    .AddAspNetCoreInstrumentation()
                    .AddHttpClientInstrumentation()
                    .AddRuntimeInstrumentation()
                    .AddNpgsqlInstrumentation()
            )
            .UseOtlpExporter();
    }
}
