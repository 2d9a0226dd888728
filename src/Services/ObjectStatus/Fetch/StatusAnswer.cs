namespace Sagas.Services.ObjectStatus.Fetch;

/// <summary>The result of fetching an object's status.</summary>
internal enum StatusKind
{
    /// <summary>The object is online.</summary>
    Online,

    /// <summary>The object is offline, or the API does not know it.</summary>
    Offline,

    /// <summary>There was no usable answer; a later call may get one.</summary>
    Failed,

    /// <summary>The API will never answer this.</summary>
    Rejected,
}

/// <summary>An answer of the status API, or that there was none.</summary>
/// <param name="Kind">The outcome.</param>
/// <param name="At">When the answer arrived.</param>
/// <param name="Reason">Why the answer is unusable.</param>
/// <param name="RetryAfter">How long the API asked to wait.</param>
internal sealed record StatusAnswer(StatusKind Kind, DateTimeOffset At, string? Reason = null, TimeSpan? RetryAfter = null);
