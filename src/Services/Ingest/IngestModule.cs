using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Sagas.Configuration;
using Sagas.FileIntake;
using Sagas.Services.Http;
using Sagas.Services.Modules;
using Sagas.Services.Operations;

namespace Sagas.Services.Ingest;

/// <summary>Files of customers: the watched folder and uploads.</summary>
public sealed class IngestModule : FeatureModule
{
    /// <summary>Files of customers.</summary>
    public const string IngestRole = "ingest";

    /// <inheritdoc/>
    public override IReadOnlyList<Role> Roles { get; } =
    [new(IngestRole, "reads files of customers from a folder and from uploads")];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionsSection> Sections { get; } = [new(IngestOptions.Section, typeof(IngestOptions))];

    /// <inheritdoc/>
    public override void AddServices(IServiceCollection services, FeatureContext context)
    {
        if (!context.Roles.Has(IngestRole))
            return;
        services.AddValidatedOptions<IngestOptions>(context.Configuration, IngestOptions.Section);
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<CustomerIngest>(provider, context.Messages));
        services.AddFileIntake<CustomerIngest>(CustomerIngest.FileKind);
    }

    /// <inheritdoc/>
    public override void MapEndpoints(WebApplication app, RoleSet roles)
    {
        ArgumentNullException.ThrowIfNull(roles);
        if (roles.Has(IngestRole))
            app.MapFiles(CustomerIngest.FileKind).RequireOperatorKey().AcceptsQuery("name");
    }
}
