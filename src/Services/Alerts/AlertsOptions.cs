using System.ComponentModel;
using Sagas.Configuration;
using Sagas.FileIntake;
using Sagas.OutboundCalls;

namespace Sagas.Services.Alerts;

/// <summary>Configuration section <c>Alerts</c>: where alerts come from, where they go, and how fast.</summary>
public sealed record AlertsOptions : FileIntakeOptions, IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Alerts";

    /// <summary>A wrong alert cannot be taken back, so that fewer rows than of customers decide.</summary>
    public AlertsOptions() => MinRowsForRejectRatio = 20;

    /// <summary>The secret that everyone can read in the repository.</summary>
    public const string DevelopmentSecret = "whsec_c2FnYXMtZGV2ZWxvcG1lbnQtYWxlcnQtc2VjcmV0";

    /// <summary>The receiver's URL: https, or http to a host of <see cref="AllowedHosts"/>.</summary>
    public string Endpoint { get; init; } = "http://localhost:5081/webhooks/alerts";

    /// <summary>Hosts, separated by commas or spaces, that may be called over http and on private networks.</summary>
    public string AllowedHosts { get; init; } = "localhost";

    /// <summary>The secrets that deliveries are signed with, <c>whsec_</c> and base64, separated by commas or spaces: one, or
    /// during rotation two, the new one first.</summary>
    [DefaultValue("a development secret, with a warning")]
    public string Secrets { get; init; } = DevelopmentSecret;

    /// <summary>What the receiver may be sent by all processes together.</summary>
    public CallRateLimit Limit { get; init; } = new();

    /// <summary>How long before each attempt, the first included, separated by commas; after the last the alert is
    /// parked.</summary>
    public string RetrySchedule { get; init; } = "0s,5s,5m,30m,2h,5h,10h,10h";

    /// <summary>How calls are made: section <c>Alerts:Calls</c>.</summary>
    public OutboundCallOptions Calls { get; init; } = new() { MaxConcurrency = 256 };

    /// <summary>The most rows of a file that are enqueued and due. For most receivers it is about two seconds' worth of
    /// deliveries, so that files take turns; this is the limit for a very fast receiver.</summary>
    public int MaxRowsAhead { get; init; } = 10_000;

    /// <summary>The most rows of a file that are enqueued and not delivered, those that wait for another attempt
    /// included.</summary>
    public int MaxRowsUndelivered { get; init; } = 50_000;

    /// <summary>The hosts of <see cref="AllowedHosts"/>.</summary>
    internal IReadOnlyList<string> Hosts => Split(AllowedHosts);

    /// <summary>The delays of <see cref="RetrySchedule"/>.</summary>
    internal IReadOnlyList<TimeSpan> Schedule => ParseSchedule() ?? [];

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        if (EndpointProblem() is { } endpoint)
            yield return endpoint;
        // Never the value: it is secret.
        if (WebhookSignature.Keys(Secrets) is not { Length: 1 or 2 })
        {
            yield return $"{Section}:{nameof(Secrets)} must be one or two secrets, each whsec_ and the base64 of 24 to 64 bytes, "
                + "such as \"whsec_$(openssl rand -base64 32)\".";
        }
        if (ParseSchedule() is null)
            yield return $"{Section}:{nameof(RetrySchedule)} must be durations such as 5s or 00:00:05, separated by commas.";
        if (MaxRowsAhead is < 1 or > 1_000_000)
            yield return $"{Section}:{nameof(MaxRowsAhead)} must be from 1 to 1000000.";
        if (MaxRowsUndelivered < MaxRowsAhead)
            yield return $"{Section}:{nameof(MaxRowsUndelivered)} must be at least {nameof(MaxRowsAhead)}.";
        foreach (var problem in ValidateIntake(Section))
            yield return problem;
        foreach (var problem in Limit.Validate())
            yield return $"{Section}:{nameof(Limit)}: {problem}";
        foreach (var problem in Calls.Validate())
            yield return $"{Section}:{nameof(Calls)}: {problem}";
    }

    private string? EndpointProblem()
    {
        const string key = $"{Section}:{nameof(Endpoint)}";
        if (
            !Uri.TryCreate(Endpoint, UriKind.Absolute, out var url)
            || url.Scheme is not ("http" or "https")
            || url.Host.Length == 0
        )
            return $"{key} must be an absolute https address.";
        if (url.UserInfo.Length > 0 || url.Fragment.Length > 0)
            return $"{key} must have no user name and no fragment.";
        return url.Scheme == "https" || Hosts.Contains(url.Host, StringComparer.OrdinalIgnoreCase)
            ? null
            : $"{key} must be https, or {Section}:{nameof(AllowedHosts)} must name its host.";
    }

    private TimeSpan[]? ParseSchedule()
    {
        var waits = new List<TimeSpan>();
        foreach (var part in Split(RetrySchedule))
        {
            if (!Duration.TryParse(part, out var wait))
                return null;
            waits.Add(wait);
        }

        return waits.Count == 0 ? null : [.. waits];
    }

    private static string[] Split(string list) =>
        list.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
