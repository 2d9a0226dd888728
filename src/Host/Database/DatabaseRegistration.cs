using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Database;
using Sagas.Host.Settings;
using Sagas.Services;

namespace Sagas.Host.Database;

/// <summary>The database.</summary>
internal static class DatabaseRegistration
{
    public static void AddDatabase(this IServiceCollection services, Features features)
    {
        services.AddSingleton(provider =>
            CreateDataSource(provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.Postgres)
        );
        services.AddDbContextPool<SagasDbContext>(
            (provider, options) =>
                options.UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>()).UseSagaMaps(features.SagaMaps)
        );
    }

    /// <summary>Brings the schema up to date before anything that is registered later starts.</summary>
    public static void AddSchemaMigration(this IServiceCollection services)
    {
        services.AddSingleton<DatabaseStartupRetry>();
        services.AddSingleton<SchemaMigration>();
        services.AddHostedService(provider => provider.GetRequiredService<SchemaMigration>());
    }

    private static NpgsqlDataSource CreateDataSource(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(WithDefaults(connectionString)) { Name = "sagas" };
        // Polls belong to no message or request, and would be most of the spans.
        builder.ConfigureTracing(tracing =>
            tracing
                .ConfigureCommandFilter(_ => Activity.Current is not null)
                .ConfigureBatchFilter(_ => Activity.Current is not null)
                .ConfigureCopyOperationFilter(_ => Activity.Current is not null)
        );
        return builder.Build();
    }

    /// <summary>A connection string with the defaults of a services process; what the string itself sets is kept.</summary>
    internal static string WithDefaults(string connectionString)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        // Every message runs the same few statements, so the server plans each of them once per connection.
        if (!parts.ShouldSerialize("Max Auto Prepare"))
            parts.MaxAutoPrepare = 100;
        if (!parts.ShouldSerialize("Auto Prepare Min Usages"))
            parts.AutoPrepareMinUsages = 2;
        // Nothing here changes a session (locks and settings end with their transaction), so there is nothing to reset
        // between two uses of a connection, which would cost the server more statements than a message does.
        if (!parts.ShouldSerialize("No Reset On Close"))
            parts.NoResetOnClose = true;
        // A process needs far fewer connections than it consumes messages at once, and several share a server's limit.
        if (!parts.ShouldSerialize("Maximum Pool Size"))
            parts.MaxPoolSize = 60;
        return parts.ConnectionString;
    }
}
