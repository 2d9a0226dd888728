namespace Sagas.OutboundCalls;

/// <summary>The values of column <c>outbound_call.state</c>.</summary>
internal static class CallState
{
    public const string Waiting = "waiting";
    public const string InFlight = "in_flight";
    public const string Done = "done";
    public const string Failed = "failed";
    public const string Parked = "parked";
    public const string Superseded = "superseded";
}
