using System.Text.Json.Serialization;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.Webhooks;

/// <summary>The outcome of one delivery.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeliveryOutcome>))]
internal enum DeliveryOutcome : byte
{
    /// <summary>The user was alerted: the only effect.</summary>
    Alerted,

    /// <summary>A <c>webhook-id</c> that had alerted its user before: answered as then, nothing done.</summary>
    Repeated,

    /// <summary>Beyond the limit of requests per second.</summary>
    Limited,

    /// <summary>The signature is missing, wrong or too old.</summary>
    Unsigned,

    /// <summary>Not an alert at all.</summary>
    Invalid,

    /// <summary>A fault, or the answer that was set, ended it before anything was done.</summary>
    Unavailable,
}

/// <summary>One line of the record.</summary>
/// <param name="Sequence">1 and up, in the order in which the requests took effect.</param>
/// <param name="At">When the request came in.</param>
/// <param name="Client">Who sent it.</param>
/// <param name="Path">Where to.</param>
/// <param name="Id">Its <c>webhook-id</c>.</param>
/// <param name="UserId">The user it alerts.</param>
/// <param name="AlertMessage">The text.</param>
/// <param name="Status">The status that was sent; 0 when the connection was cut without one.</param>
/// <param name="Outcome">The outcome.</param>
/// <param name="Fault">The injected fault.</param>
internal sealed record WebhookRecord(
    long Sequence,
    DateTimeOffset At,
    string Client,
    string Path,
    string Id,
    string? UserId,
    string? AlertMessage,
    int Status,
    DeliveryOutcome Outcome,
    [property: JsonConverter(typeof(JsonStringEnumConverter<Fault>))] Fault Fault
);

/// <summary>Counts of what the receiver got and did.</summary>
/// <param name="Requests">All deliveries.</param>
/// <param name="Alerted">Users alerted: new <c>webhook-id</c>s accepted.</param>
/// <param name="Repeated">Deliveries whose <c>webhook-id</c> had been accepted before.</param>
/// <param name="Limited">Answers of 429 because of the limit.</param>
/// <param name="Unsigned">Deliveries without a good signature.</param>
/// <param name="Invalid">Deliveries that were not an alert.</param>
/// <param name="Faults">Deliveries that met a fault.</param>
/// <param name="FirstAt">When the first user was alerted.</param>
/// <param name="LastAt">When the last user was alerted.</param>
internal sealed record WebhookSummary(
    long Requests,
    long Alerted,
    long Repeated,
    long Limited,
    long Unsigned,
    long Invalid,
    long Faults,
    DateTimeOffset? FirstAt,
    DateTimeOffset? LastAt
);
