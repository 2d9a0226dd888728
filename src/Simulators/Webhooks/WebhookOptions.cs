using Sagas.Configuration;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.Webhooks;

/// <summary>The configuration section <c>Webhooks</c>.</summary>
internal sealed record WebhookOptions : IValidatedOptions
{
    public const string Section = "Webhooks";

    // The secret of the sender's own development default: base64 of "sagas-development-alert-secret".
    private const string DevelopmentSecret = "whsec_c2FnYXMtZGV2ZWxvcG1lbnQtYWxlcnQtc2VjcmV0";

    /// <summary>The receiver's secrets, separated by spaces or commas; a signature by any of them is good.</summary>
    public string Secrets { get; init; } = DevelopmentSecret;

    /// <summary>How far a delivery's timestamp may be from this clock, seconds.</summary>
    public int ToleranceSeconds { get; init; } = 300;

    /// <summary>How the receiver behaves.</summary>
    public WebhookBehaviour Behaviour { get; init; } = new();

    /// <summary>Appends <c>user_id,alert_message</c> of each user alerted; null: none.</summary>
    public string? OutputFile { get; init; }

    /// <summary>Where the record is kept across restarts; null keeps it in memory only.</summary>
    public string? RecordFile { get; init; }

    /// <summary>The faults at start.</summary>
    public FaultSettings Faults { get; init; } = new();

    public IEnumerable<string> Validate()
    {
        if (SignatureCheck.Keys(Secrets) is not { Length: > 0 })
            yield return $"{Section}:Secrets is one or more of whsec_ and base64, separated by spaces.";
        if (ToleranceSeconds < 1)
            yield return $"{Section}:ToleranceSeconds is at least 1.";
        foreach (var problem in Behaviour.Validate())
            yield return $"{Section}:Behaviour: {problem}";
        foreach (var problem in Faults.Validate())
            yield return $"{Section}:Faults: {problem}";
    }
}

/// <summary>What the receiver accepts; may be changed while it runs.</summary>
internal sealed record WebhookBehaviour
{
    /// <summary>Requests per second of one client on one path; 0: no limit.</summary>
    public double PerSecond { get; init; } = 0.5;

    /// <summary>How many of them may come at one moment; 0: as many as in a second, at least one.</summary>
    public int Burst { get; init; }

    /// <summary>
    /// The status of every answer instead of accepting deliveries, 400 to 599 (410: the endpoint is gone); 0: accepts them.
    /// </summary>
    public int Answer { get; init; }

    public IEnumerable<string> Validate()
    {
        if (PerSecond is not (>= 0 and <= 1_000_000))
            yield return "perSecond is between 0 and 1000000.";
        if (Burst is < 0 or > 1_000_000)
            yield return "burst is between 0 and 1000000.";
        if (Answer is not 0 and (< 400 or > 599))
            yield return "answer is 0, or between 400 and 599.";
    }
}
