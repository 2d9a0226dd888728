using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Sagas.Host.Health;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it can do its work; the body names each check.</summary>
internal static class HealthEndpoints
{
    public const string Live = "/health/live";
    public const string Ready = "/health/ready";

    private static readonly TimeSpan _longestCheck = TimeSpan.FromSeconds(3);

    public static void AddHealth(this IServiceCollection services)
    {
        services.AddSingleton<SchemaMigration>();
        services.AddHostedService(provider => provider.GetRequiredService<SchemaMigration>());
        services.AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", timeout: _longestCheck)
            .AddCheck<SchemaCheck>("schema");
    }

    public static void MapHealth(this WebApplication app)
    {
        app.MapHealthChecks(Live, new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync });
        app.MapHealthChecks(Ready, new HealthCheckOptions
        {
            ResponseWriter = WriteAsync,
            // A bus that is reconnecting takes no messages, whatever it calls that.
            ResultStatusCodes =
            {
                [HealthStatus.Degraded] = StatusCodes.Status503ServiceUnavailable,
            },
        });
    }

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(new
        {
            status = report.Status.ToString().ToLowerInvariant(),
            checks = report.Entries.ToDictionary(entry => entry.Key, entry => new
            {
                status = entry.Value.Status.ToString().ToLowerInvariant(),
                description = entry.Value.Description ?? entry.Value.Exception?.GetBaseException().Message,
            }),
        }), context.RequestAborted);
    }

    private sealed class DatabaseCheck(NpgsqlDataSource dataSource) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await using var command = dataSource.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(cancellationToken);
            return HealthCheckResult.Healthy("Postgres answers");
        }
    }

    private sealed class SchemaCheck(SchemaMigration migration) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(migration.IsDone
                ? HealthCheckResult.Healthy("Up to date")
                : HealthCheckResult.Unhealthy("The migrations have not been applied yet"));
    }
}
