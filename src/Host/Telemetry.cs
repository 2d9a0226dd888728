using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Sagas.Host;

/// <summary>Traces and metrics by OTLP, when a collector is configured by OpenTelemetry's own environment variables.</summary>
internal sealed class Telemetry(IConfiguration configuration) : IHostedService, IDisposable
{
    private static readonly string[] _sources = ["MassTransit", "Sagas"];

    private TracerProvider? _traces;
    private MeterProvider? _metrics;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            return Task.CompletedTask;
        var resource = ResourceBuilder.CreateDefault().AddService("sagas", serviceInstanceId: $"{Environment.MachineName}-{Environment.ProcessId}");
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(_sources).AddOtlpExporter().Build();
        _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(_sources).AddOtlpExporter().Build();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // After everything else has stopped, so that the last spans are sent too.
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }
}
