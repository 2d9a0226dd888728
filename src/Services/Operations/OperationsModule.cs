using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Sagas.Configuration;
using Sagas.Services.Http;
using Sagas.Services.Modules;
using Sagas.Services.Operations.Access;
using Sagas.Services.Operations.Actions;
using Sagas.Services.Operations.Activity;
using Sagas.Services.Operations.Api;
using Sagas.Services.Operations.Audit;
using Sagas.Services.Operations.Pages;
using Sagas.Services.Operations.Reads;

namespace Sagas.Services.Operations;

/// <summary>The operators' interface: dashboard and API, and what the other modules need to be part of it.</summary>
public sealed partial class OperationsModule : FeatureModule
{
    /// <summary>The operators' interface.</summary>
    public const string OperationsRole = "operations";

    /// <inheritdoc/>
    public override IReadOnlyList<Role> Roles { get; } =
    [new(OperationsRole, "serves the operators' dashboard and API, and cleans up")];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionsSection> Sections { get; } = [new(OperationsOptions.Section, typeof(OperationsOptions))];

    /// <inheritdoc/>
    public override void AddServices(IServiceCollection services, FeatureContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // The endpoints of other features ask for the operators' key too.
        services.AddValidatedOptions<OperationsOptions>(context.Configuration, OperationsOptions.Section);
        services.AddSingleton<AccessKeys>();
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<ActivityRecorder>(provider, context.Roles));
        if (!context.Roles.Has(OperationsRole))
            return;
        services.AddAccess();
        services.TryAddSingleton<IQueueDepths, NoQueueDepths>();
        services.AddSingleton<OverviewReader>();
        services.AddSingleton<StuckReader>();
        services.AddSingleton<SagaReader>();
        services.AddSingleton<FileReader>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<TargetPauses>();
        services.AddScoped<OperatorActions>();
        services.AddHostedService<OperationsCleanup>();
        services.AddRazorComponents();
        services.AddOpenApi("v1");
        services.AddSingleton(new NavigationEntry("Overview", "/", 0));
        services.AddSingleton(new NavigationEntry("Stuck", "/stuck", 10));
        services.AddSingleton(new NavigationEntry("Failures", "/failures", 40));
        services.AddSingleton(new NavigationEntry("Files", "/files", 50));
        services.AddSingleton(new NavigationEntry("Targets", "/targets", 60));
        services.AddSingleton(new NavigationEntry("Audit", "/audit", 70));
    }

    /// <inheritdoc/>
    public override void MapEndpoints(WebApplication app, RoleSet roles)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(roles);
        if (!roles.Has(OperationsRole))
            return;
        if (!app.Services.GetRequiredService<AccessKeys>().Any)
            LogNoKeys(app.Logger);
        SecurityHeaders.Use(app);
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
        app.UseAntiforgery();
        app.MapOperations();
        app.MapSignIn();
        Asset.Map(app);
        OperationsApi.Map(app);
        DashboardActions.Map(app);
        app.MapOpenApi("/openapi/{documentName}.json").RequireAuthorization(nameof(AccessRole.Viewer));
        app.MapRazorComponents<App>().RequireAuthorization(nameof(AccessRole.Viewer)).AcceptsAnyQuery();
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Operations:Keys is empty: the dashboard answers callers on this machine only, and nothing can be changed"
    )]
    private static partial void LogNoKeys(ILogger logger);
}
