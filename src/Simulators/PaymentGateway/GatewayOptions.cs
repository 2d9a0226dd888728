using Sagas.Configuration;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.PaymentGateway;

/// <summary>The configuration section <c>Gateway</c>.</summary>
internal sealed record GatewayOptions : IValidatedOptions
{
    public const string Section = "Gateway";

    /// <summary>Share of new payments that are declined, 0 to 1.</summary>
    public double DeclineRate { get; init; }

    /// <summary>Where the record is kept across restarts; null keeps it in memory only.</summary>
    public string? RecordFile { get; init; }

    /// <summary>The faults at start.</summary>
    public FaultSettings Faults { get; init; } = new();

    public IEnumerable<string> Validate()
    {
        if (DeclineRate is not (>= 0 and <= 1))
            yield return $"{Section}:DeclineRate is {DeclineRate}; a rate is between 0 and 1.";
        foreach (var problem in Faults.Validate())
            yield return $"{Section}:Faults: {problem}";
    }
}
