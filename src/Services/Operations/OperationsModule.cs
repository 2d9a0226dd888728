using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Sagas.Configuration;
using Sagas.Services.Modules;

namespace Sagas.Services.Operations;

/// <summary>The operators' interface, and the cleanup of the inbox.</summary>
public sealed class OperationsModule : FeatureModule
{
    /// <summary>The operators' interface.</summary>
    public const string OperationsRole = "operations";

    /// <inheritdoc/>
    public override IReadOnlyList<Role> Roles { get; } = [new(OperationsRole, "serves the operators' interface and cleans up")];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionsSection> Sections { get; } = [new(OperationsOptions.Section, typeof(OperationsOptions))];

    /// <inheritdoc/>
    public override void AddServices(IServiceCollection services, FeatureContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // The endpoints of other features ask for the operators' key too.
        services.AddValidatedOptions<OperationsOptions>(context.Configuration, OperationsOptions.Section);
    }

    /// <inheritdoc/>
    public override void MapEndpoints(WebApplication app, RoleSet roles)
    {
        ArgumentNullException.ThrowIfNull(roles);
        if (roles.Has(OperationsRole))
            app.MapOperations();
    }
}
