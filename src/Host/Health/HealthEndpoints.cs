using Microsoft.AspNetCore.HttpLogging;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Sagas.Database;
using Sagas.Host.Bus;
using Sagas.Host.Database;
using Sagas.Host.Settings;

namespace Sagas.Host.Health;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/ready</c>: it can do its work; the body names each check.
/// </summary>
internal static class HealthEndpoints
{
    public const string Live = "/health/live";
    public const string Ready = "/health/ready";

    // The name of the check that may be degraded: the process works with the queues as they are.
    private const string Queues = "queues";

    private static readonly TimeSpan _checkTimeout = TimeSpan.FromSeconds(3);

    public static void AddHealth(this IServiceCollection services, BusTransport transport)
    {
        var checks = services
            .AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", timeout: _checkTimeout)
            .AddCheck<SchemaCheck>("schema");
        if (transport == BusTransport.RabbitMq)
            checks.AddCheck<QueueCheck>(Queues);
    }

    // Not MapHealthChecks, which creates the bus while routes are mapped, and creating the bus waits for the broker.
    public static void MapHealth(this WebApplication app)
    {
        var health = app.MapGroup("").WithHttpLogging(HttpLoggingFields.None);
        health.MapGet(Live, () => Results.Json(new { status = "healthy" }));
        health.MapGet(
            Ready,
            async (HealthCheckService checks, CancellationToken cancellationToken) =>
            {
                var report = await checks.CheckHealthAsync(cancellationToken);
                // A bus that is reconnecting reports itself as degraded, but consumes nothing.
                var isReady = report.Entries.All(entry =>
                    entry.Value.Status == HealthStatus.Healthy
                    || (entry.Key == Queues && entry.Value.Status == HealthStatus.Degraded)
                );
                return Results.Json(
                    Describe(report),
                    statusCode: isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable
                );
            }
        );
    }

    private static object Describe(HealthReport report) =>
        new
        {
            status = Name(report.Status),
            checks = report.Entries.ToDictionary(
                entry => entry.Key,
                entry => new
                {
                    status = Name(entry.Value.Status),
                    description = entry.Value.Exception?.GetBaseException().Message ?? entry.Value.Description,
                }
            ),
        };

    private static string Name(HealthStatus status) => status.ToString().ToLowerInvariant();

    private sealed class DatabaseCheck(NpgsqlDataSource dataSource) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) =>
            await DatabaseAccess.IsWritableAsync(dataSource, cancellationToken)
                ? HealthCheckResult.Healthy("Postgres answers")
                : HealthCheckResult.Unhealthy("Postgres is read-only: a standby, or default_transaction_read_only is set");
    }

    private sealed class QueueCheck(QueueConflicts conflicts) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) =>
            Task.FromResult(
                conflicts.Sentences is { Count: > 0 } sentences
                    ? HealthCheckResult.Degraded(string.Join(" ", sentences))
                    : HealthCheckResult.Healthy("As declared")
            );
    }

    private sealed class SchemaCheck(SchemaMigration migration) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) =>
            Task.FromResult(
                migration.IsDone
                    ? HealthCheckResult.Healthy("Up to date")
                    : HealthCheckResult.Unhealthy("The migrations have not been applied yet")
            );
    }
}
