using System.Collections.Frozen;

namespace Sagas.Host.Settings;

/// <summary>What a process does; a deployment splits the work by giving processes different roles.</summary>
internal sealed class Roles
{
    /// <summary>The state machines.</summary>
    public const string Sagas = "sagas";

    /// <summary>Calls to the payment gateway.</summary>
    public const string Payments = "payments";

    /// <summary>Alerts to the webhook, and the files that they come from.</summary>
    public const string Alerts = "alerts";

    /// <summary>Housekeeping and the operators' interface.</summary>
    public const string Operations = "operations";

    /// <summary>Telling the CRM of customers.</summary>
    public const string Crm = "crm";

    /// <summary>Alarms and their digests.</summary>
    public const string Alarms = "alarms";

    /// <summary><c>POST /callback</c>: takes the ids of objects whose status is to be fetched.</summary>
    public const string Callback = "callback";

    /// <summary>Fetches the status of objects, and removes those not seen for long.</summary>
    public const string Status = "status";

    /// <summary>Files of customers: the watched folder and uploads.</summary>
    public const string Ingest = "ingest";

    private static readonly string[] _known = [Sagas, Payments, Operations, Ingest, Crm, Alarms, Alerts, Callback, Status];

    private readonly FrozenSet<string> _names;

    private Roles(IEnumerable<string> names) => _names = names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Every role, which is what a process has when none is named.</summary>
    public static Roles All { get; } = new(_known);

    /// <summary>Whether the process has a role.</summary>
    public bool Has(string role) => _names.Contains(role);

    /// <summary>Reads a list separated by commas.</summary>
    /// <param name="value">The list; null or empty for all.</param>
    /// <param name="roles">The roles; all when the list names none or an unknown one.</param>
    /// <param name="unknown">The first name that is no role.</param>
    public static bool TryParse(string? value, out Roles roles, out string? unknown)
    {
        var names = (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        unknown = names.FirstOrDefault(name => !_known.Contains(name, StringComparer.OrdinalIgnoreCase));
        roles = names.Length == 0 || unknown is not null ? All : new Roles(names);
        return unknown is null;
    }

    /// <summary>The names that can be used.</summary>
    public static string Known => string.Join(", ", _known);

    /// <inheritdoc />
    public override string ToString() => string.Join(", ", _known.Where(Has));
}
