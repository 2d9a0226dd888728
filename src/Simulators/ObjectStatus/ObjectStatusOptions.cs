using Sagas.Configuration;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.ObjectStatus;

/// <summary>The configuration section <c>ObjectStatus</c>.</summary>
internal sealed record ObjectStatusOptions : IValidatedOptions
{
    public const string Section = "ObjectStatus";

    /// <summary>Where the tester posts ids to; null: it does not.</summary>
    public string? CallbackUrl { get; init; }

    /// <summary>How often the tester posts.</summary>
    public TimeSpan PostInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The most ids that the tester posts at once.</summary>
    public int MaxIds { get; init; } = 200;

    /// <summary>The tester's ids are below this.</summary>
    public int IdsBelow { get; init; } = 100;

    /// <summary>The faults at start. By default it is only slow.</summary>
    public FaultSettings Faults { get; init; } =
        new()
        {
            Latency = new() { MinMs = 300, MaxMs = 4300 },
        };

    public IEnumerable<string> Validate()
    {
        if (
            CallbackUrl is { Length: > 0 }
            && (!Uri.TryCreate(CallbackUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        )
            yield return $"{Section}:{nameof(CallbackUrl)} must be an absolute http or https address.";
        if (PostInterval < TimeSpan.FromMilliseconds(10))
            yield return $"{Section}:{nameof(PostInterval)} is at least 10 ms.";
        if (MaxIds < 0 || IdsBelow < 1)
            yield return $"{Section}:{nameof(MaxIds)} is 0 or more, {nameof(IdsBelow)} 1 or more.";
        foreach (var problem in Faults.Validate())
            yield return $"{Section}:Faults: {problem}";
    }
}
