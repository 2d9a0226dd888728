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

/// <summary>The features of the product. A new one is a folder with a module, and a line here.</summary>
public static class Features
{
    /// <summary>Every feature's module.</summary>
    public static IReadOnlyList<FeatureModule> All { get; } =
    [
        new PaymentsModule(),
        new OperationsModule(),
        new IngestModule(),
        new CrmModule(),
        new AlarmsModule(),
        new AlertsModule(),
        new ObjectStatusModule(),
    ];

    /// <summary>Every role, which is what a process has when none is named.</summary>
    public static RoleSet AllRoles { get; } =
        new([.. All.SelectMany(module => module.Roles).Select(role => role.Name).Distinct()]);

    /// <summary>The queues that services consume from.</summary>
    public static IReadOnlyList<FeatureEndpoint> Endpoints { get; } = [.. All.SelectMany(module => module.Endpoints)];

    /// <summary>What messages from outside must fulfil.</summary>
    public static IReadOnlyList<MessageRule> MessageRules { get; } = [.. All.SelectMany(module => module.MessageRules)];

    /// <summary>
    /// The schema: the SQL files in the folders of persistence, outbound calls, file intake, sagas and features.
    /// </summary>
    public static IReadOnlyList<Migration> Migrations { get; } =
        Migration.EmbeddedIn([
            typeof(SchemaMigrator).Assembly,
            typeof(CallTarget).Assembly,
            typeof(FileStore).Assembly,
            typeof(SagasDbContext).Assembly,
            .. All.Select(module => module.GetType().Assembly),
        ]);

    /// <summary>The endpoint of a queue.</summary>
    /// <exception cref="InvalidOperationException">No module declares it.</exception>
    public static FeatureEndpoint Endpoint(string queue) =>
        Endpoints.FirstOrDefault(endpoint => endpoint.Queue == queue)
        ?? throw new InvalidOperationException(
            $"No feature module declares the endpoint {queue}: add it to its module's Endpoints."
        );

    /// <summary>Reads a list of roles separated by commas.</summary>
    /// <param name="value">The list; null or empty for all.</param>
    /// <param name="roles">The roles; all where the list names none or an unknown one.</param>
    /// <param name="unknown">The first name that is not a role.</param>
    public static bool TryParseRoles(string? value, out RoleSet roles, out string? unknown)
    {
        var names = (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        unknown = names.FirstOrDefault(name => !AllRoles.Has(name));
        roles = names.Length == 0 || unknown is not null ? AllRoles : new RoleSet(names);
        return unknown is null;
    }
}
