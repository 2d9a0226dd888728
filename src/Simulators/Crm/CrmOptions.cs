using Sagas.Configuration;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.Crm;

/// <summary>The configuration section <c>Crm</c>.</summary>
internal sealed record CrmOptions : IValidatedOptions
{
    public const string Section = "Crm";

    /// <summary>
    /// Share of customers' data that is declined, 0 to 1; besides those whose e-mail ends in @declined.example.
    /// </summary>
    public double DeclineRate { get; init; }

    /// <summary>Share of the customers in a batch that get a 503 of their own, nothing done, 0 to 1.</summary>
    public double ItemFailRate { get; init; }

    /// <summary>What the header Authorization must be; null: nothing.</summary>
    public string? Authorization { get; init; }

    /// <summary>Where the record is kept across restarts; null keeps it in memory only.</summary>
    public string? RecordFile { get; init; }

    /// <summary>The faults at start.</summary>
    public FaultSettings Faults { get; init; } = new();

    public IEnumerable<string> Validate()
    {
        foreach (var (name, rate) in new[] { (nameof(DeclineRate), DeclineRate), (nameof(ItemFailRate), ItemFailRate) })
        {
            if (rate is not (>= 0 and <= 1))
                yield return $"{Section}:{name} is {rate}; a rate is between 0 and 1.";
        }

        foreach (var problem in Faults.Validate())
            yield return $"{Section}:Faults: {problem}";
    }
}
