using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Host.Settings;

namespace Sagas.Host;

/// <summary>The database and what the sagas need to know besides it.</summary>
internal static class DatabaseRegistration
{
    public static void AddDatabase(this IServiceCollection services, HostSettings settings)
    {
        services.AddSingleton(_ => CreateDataSource(settings.Postgres));
        services.AddDbContextPool<SagasDbContext>((provider, options) => options.UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>()));
        services.AddSingleton(Options.Create(settings.Redelivery));
    }

    // Every message runs the same few statements, so the server plans each of them once per connection, unless configured otherwise.
    private static NpgsqlDataSource CreateDataSource(string connectionString)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        if (parts.MaxAutoPrepare == 0)
            (parts.MaxAutoPrepare, parts.AutoPrepareMinUsages) = (100, 2);
        // Nothing here changes a session (locks and settings end with their transaction), so there is nothing to reset between two
        // uses of a connection, which would cost the server more statements than a message does.
        parts.NoResetOnClose = true;
        // A process needs far fewer connections than it consumes messages at once, and several share a server's limit.
        if (!parts.ShouldSerialize("Maximum Pool Size"))
            parts.MaxPoolSize = 60;
        return new NpgsqlDataSourceBuilder(parts.ConnectionString) { Name = "sagas" }.Build();
    }
}
