using MassTransit.EntityFrameworkCoreIntegration;
using Sagas.Database;
using Sagas.FileIntake.Storage;
using Sagas.OutboundCalls;
using Sagas.Persistence;
using Sagas.Services.Alarms;
using Sagas.Services.Alerts;
using Sagas.Services.Crm;
using Sagas.Services.Ingest;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using Sagas.Services.ObjectStatus;
using Sagas.Services.Operations;
using Sagas.Services.Payments;

namespace Sagas.Services;

/// <summary>The features that a program runs. A new one of the product is a folder with a module, and a line here.</summary>
/// <param name="modules">Every feature's module.</param>
public sealed class Features(IReadOnlyList<FeatureModule> modules)
{
    /// <summary>The features of the product.</summary>
    public static Features Product { get; } =
        new([
            new PaymentsModule(),
            new OperationsModule(),
            new IngestModule(),
            new CrmModule(),
            new AlarmsModule(),
            new AlertsModule(),
            new ObjectStatusModule(),
        ]);

    /// <summary>Every feature's module.</summary>
    public IReadOnlyList<FeatureModule> Modules { get; } = modules;

    /// <summary>Every role, which is what a process has when none is named.</summary>
    public RoleSet AllRoles { get; } = new([.. modules.SelectMany(module => module.Roles).Select(role => role.Name).Distinct()]);

    /// <summary>The queues that services consume from.</summary>
    public IReadOnlyList<FeatureEndpoint> Endpoints { get; } = [.. modules.SelectMany(module => module.Endpoints)];

    /// <summary>The messages that have exchanges of their names and are read from plain JSON.</summary>
    public ContractTypes Messages { get; } = new(modules.SelectMany(module => module.Messages));

    /// <summary>The rules for messages from outside.</summary>
    public IReadOnlyList<MessageRule> MessageRules { get; } = [.. modules.SelectMany(module => module.MessageRules)];

    /// <summary>The maps of the sagas that modules bring.</summary>
    public IReadOnlyList<ISagaClassMap> SagaMaps { get; } = [.. modules.SelectMany(module => module.SagaMaps)];

    /// <summary>
    /// The schema: the SQL files in the folders of persistence, outbound calls, file intake, sagas and features.
    /// </summary>
    public IReadOnlyList<Migration> Migrations { get; } =
        Migration.EmbeddedIn([
            typeof(SchemaMigrator).Assembly,
            typeof(CallTarget).Assembly,
            typeof(FileStore).Assembly,
            typeof(SagasDbContext).Assembly,
            .. modules.Select(module => module.GetType().Assembly),
        ]);

    /// <summary>The endpoint of a queue.</summary>
    /// <exception cref="InvalidOperationException">No module declares it.</exception>
    public FeatureEndpoint Endpoint(string queue) =>
        Endpoints.FirstOrDefault(endpoint => endpoint.Queue == queue)
        ?? throw new InvalidOperationException(
            $"No feature module declares the endpoint {queue}: add it to its module's Endpoints."
        );

    /// <summary>Reads a list of roles separated by commas.</summary>
    /// <param name="value">The list; null or empty for all.</param>
    /// <param name="roles">The roles; all where the list names none or an unknown one.</param>
    /// <param name="unknown">The first name that is not a role.</param>
    public bool TryParseRoles(string? value, out RoleSet roles, out string? unknown)
    {
        var names = (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        unknown = names.FirstOrDefault(name => !AllRoles.Has(name));
        roles = names.Length == 0 || unknown is not null ? AllRoles : new RoleSet(names);
        return unknown is null;
    }
}
