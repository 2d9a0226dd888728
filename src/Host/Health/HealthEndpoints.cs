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
        services.AddSingleton<DatabaseAtStart>();
        services.AddSingleton<SchemaMigration>();
        services.AddHostedService(provider => provider.GetRequiredService<SchemaMigration>());
        services.AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", timeout: _longestCheck)
            .AddCheck<SchemaCheck>("schema");
    }

    // Not MapHealthChecks: it would make the bus while the routes are mapped, and making the bus waits for the broker.
    public static void MapHealth(this WebApplication app)
    {
        app.MapGet(Live, () => Results.Json(new { status = "healthy" }));
        app.MapGet(Ready, async (HealthCheckService checks, CancellationToken cancellationToken) =>
        {
            var report = await checks.CheckHealthAsync(cancellationToken);
            // A bus that is reconnecting is degraded: it takes no messages, whatever it calls that.
            var status = report.Status == HealthStatus.Healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            return Results.Json(Describe(report), statusCode: status);
        });
    }

    private static object Describe(HealthReport report) => new
    {
        status = Name(report.Status),
        checks = report.Entries.ToDictionary(entry => entry.Key, entry => new
        {
            status = Name(entry.Value.Status),
            description = entry.Value.Exception?.GetBaseException().Message ?? entry.Value.Description,
        }),
    };

    private static string Name(HealthStatus status) => status.ToString().ToLowerInvariant();

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
