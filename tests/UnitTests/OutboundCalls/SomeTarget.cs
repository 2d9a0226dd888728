using Sagas.OutboundCalls;

namespace Sagas.UnitTests.OutboundCalls;

/// <summary>A target with defaults for everything but its name.</summary>
internal sealed class SomeTarget(CallMode mode = CallMode.IdempotencyKey) : CallTarget
{
    public override string Name => "some";

    public override CallMode Mode => mode;

    public override OutboundCallOptions Options => CallOptions;

    public OutboundCallOptions CallOptions { get; init; } = new();

    public override RetryPolicy Retry { get; } = RetryPolicy.Exponential(new CallRetryOptions());

    public override HttpRequestMessage CreateRequest(OutboundCall call) => new(HttpMethod.Post, "http://localhost/");

    public override CallOutcome ReadSuccess(OutboundCall call, CallResponse response) =>
        response.Body.Length > 0
            ? CallOutcome.Succeeded("done", new { response.Code }, "an event")
            : throw new InvalidOperationException("nothing to read");

    public override CallOutcome ReadRejection(OutboundCall call, CallResponse response) =>
        response.Code == 402
            ? CallOutcome.Rejected("declined", null, "a decline")
            : CallOutcome.AttemptRejected("rejected", null, "a rejection");

    public override CallOutcome ReadLookup(OutboundCall call, CallResponse response) =>
        response.Code == 404 ? CallOutcome.Retryable("not found") : ReadRejection(call, response);

    public static OutboundCall Call(
        CallMode mode = CallMode.IdempotencyKey,
        bool outcomeUnknown = false,
        int attempts = 1,
        TimeSpan age = default
    ) => new("key", mode, "{}", attempts, outcomeUnknown, age, null, null);
}
