using System.Net;
using System.Text;
using Sagas.OutboundCalls;

namespace Sagas.UnitTests.OutboundCalls;

/// <summary>What each answer means for a call, in each mode.</summary>
public sealed class OutcomeTests
{
    [Theory]
    [InlineData(200, CallMode.IdempotencyKey, false, "done", false)]
    [InlineData(402, CallMode.IdempotencyKey, false, "failed", false)]
    [InlineData(402, CallMode.IdempotencyKey, true, "failed", false)]
    [InlineData(400, CallMode.IdempotencyKey, false, "failed", false)]
    // An earlier attempt may have been executed, and 400 says nothing about it: an operator decides.
    [InlineData(400, CallMode.IdempotencyKey, true, "parked", true)]
    // The address or the key is wrong, which says nothing about the call.
    [InlineData(401, CallMode.IdempotencyKey, false, "waiting", false)]
    [InlineData(403, CallMode.AtMostOnce, false, "waiting", false)]
    [InlineData(404, CallMode.IdempotencyKey, false, "waiting", false)]
    [InlineData(404, CallMode.IdempotencyKey, true, "waiting", true)]
    [InlineData(405, CallMode.IdempotencyKey, false, "waiting", false)]
    [InlineData(407, CallMode.IdempotencyKey, false, "waiting", false)]
    [InlineData(409, CallMode.IdempotencyKey, false, "failed", false)]
    // The earlier attempt may still be running.
    [InlineData(409, CallMode.IdempotencyKey, true, "waiting", true)]
    [InlineData(429, CallMode.IdempotencyKey, false, "waiting", false)]
    [InlineData(429, CallMode.IdempotencyKey, true, "waiting", true)]
    [InlineData(500, CallMode.IdempotencyKey, false, "waiting", true)]
    [InlineData(302, CallMode.IdempotencyKey, false, "waiting", true)]
    [InlineData(408, CallMode.IdempotencyKey, false, "waiting", true)]
    [InlineData(400, CallMode.Lookup, true, "failed", false)]
    [InlineData(502, CallMode.Lookup, false, "waiting", true)]
    [InlineData(425, CallMode.AtMostOnce, false, "waiting", false)]
    [InlineData(429, CallMode.AtMostOnce, false, "waiting", false)]
    [InlineData(501, CallMode.AtMostOnce, false, "waiting", false)]
    [InlineData(408, CallMode.AtMostOnce, false, "parked", true)]
    [InlineData(500, CallMode.AtMostOnce, false, "parked", true)]
    [InlineData(502, CallMode.AtMostOnce, false, "parked", true)]
    [InlineData(503, CallMode.AtMostOnce, false, "parked", true)]
    [InlineData(504, CallMode.AtMostOnce, false, "parked", true)]
    [InlineData(302, CallMode.AtMostOnce, false, "parked", true)]
    [InlineData(400, CallMode.AtMostOnce, false, "failed", false)]
    public void A_status_decides_the_state(int status, CallMode mode, bool unknown, string state, bool unknownAfter)
    {
        var outcome = Decide(SomeTarget.Call(mode, unknown), Answer(status));

        Assert.Equal((state, unknownAfter), (outcome.State, outcome.OutcomeUnknown));
        Assert.Equal(state is "done" or "failed", outcome.Event is not null);
        Assert.Equal(state == "waiting", outcome.Delay is not null);
    }

    [Fact]
    public void Which_statuses_are_final_is_a_setting_of_the_target()
    {
        var target = new SomeTarget { CallOptions = new() { RetryableStatuses = "401, 400" } };

        Assert.Equal(CallOutcomeKind.AttemptRejected, Classify(404));
        Assert.Equal(CallOutcomeKind.Retryable, Classify(400));
        Assert.Equal(CallOutcomeKind.Rejected, Classify(402));

        CallOutcomeKind Classify(int status) => ResponseClassifier.Classify(target, SomeTarget.Call(), Answer(status)).Kind;
    }

    [Fact]
    public void A_503_with_Retry_After_was_not_executed()
    {
        var outcome = Decide(SomeTarget.Call(CallMode.AtMostOnce), Answer(503) with { RetryAfter = TimeSpan.FromSeconds(7) });

        Assert.Equal(("waiting", false), (outcome.State, outcome.OutcomeUnknown));
        Assert.Equal(TimeSpan.FromSeconds(7), outcome.Delay);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(402)]
    public void An_incomplete_answer_is_an_unknown_outcome(int status)
    {
        var outcome = Decide(SomeTarget.Call(), Answer(status) with { Complete = false });

        Assert.Equal(("waiting", true), (outcome.State, outcome.OutcomeUnknown));
    }

    [Fact]
    public void An_answer_that_the_target_cannot_read_is_an_unknown_outcome()
    {
        var outcome = Decide(SomeTarget.Call(), Answer(200) with { Body = default });

        Assert.Equal(
            ("waiting", true, "200: unreadable (InvalidOperationException)"),
            (outcome.State, outcome.OutcomeUnknown, outcome.Description)
        );
    }

    [Theory]
    [InlineData(404, CallOutcomeKind.Retryable)]
    [InlineData(402, CallOutcomeKind.Rejected)]
    // A lookup that fails or is not permitted says nothing about the call.
    [InlineData(401, CallOutcomeKind.Unknown)]
    [InlineData(429, CallOutcomeKind.Unknown)]
    [InlineData(500, CallOutcomeKind.Unknown)]
    [InlineData(302, CallOutcomeKind.Unknown)]
    public void A_lookup_counts_only_when_the_target_answers_it(int status, CallOutcomeKind kind) =>
        Assert.Equal(
            kind,
            ResponseClassifier.ClassifyLookup(new SomeTarget(), SomeTarget.Call(CallMode.Lookup, true), Answer(status)).Kind
        );

    [Fact]
    public void A_lookup_waits_until_the_target_can_have_finished_the_call()
    {
        var outcome = CallUpdate.Decide(
            SomeTarget.Call(CallMode.Lookup),
            CallOutcome.Unknown("lost"),
            new SomeTarget().Retry,
            lookupDelay: TimeSpan.FromSeconds(42),
            random: 0.5
        );

        Assert.Equal(TimeSpan.FromSeconds(42), outcome.Delay);
    }

    [Fact]
    public void A_call_out_of_attempts_or_time_is_parked_with_its_last_outcome()
    {
        var retry = RetryPolicy.Exponential(new() { MaxAttempts = 5, MaxAge = TimeSpan.FromHours(1) });
        var lost = CallOutcome.Unknown("connection lost");

        Assert.Equal("waiting", CallUpdate.Decide(SomeTarget.Call(attempts: 4), lost, retry, TimeSpan.Zero, 0).State);
        var attempts = CallUpdate.Decide(SomeTarget.Call(attempts: 5), lost, retry, TimeSpan.Zero, 0);
        var age = CallUpdate.Decide(SomeTarget.Call(age: TimeSpan.FromHours(2)), lost, retry, TimeSpan.Zero, 0);

        Assert.Equal(("parked", "connection lost; parked after 5 attempts"), (attempts.State, attempts.Description));
        Assert.Equal(("parked", true), (age.State, age.OutcomeUnknown));
        Assert.Null(attempts.Delay);
    }

    [Fact]
    public void A_description_has_no_control_characters_and_a_bounded_length()
    {
        var outcome = CallUpdate.Park(SomeTarget.Call(), "a\0b\r\n" + new string('x', 1000), false);

        Assert.StartsWith("a b  xxx", outcome.Description);
        Assert.Equal(300, outcome.Description!.Length);
    }

    private static CallResponse Answer(int status) =>
        new((HttpStatusCode)status, Encoding.UTF8.GetBytes("{}"), Complete: true, RetryAfter: null);

    private static CallUpdate Decide(OutboundCall call, CallResponse response)
    {
        var target = new SomeTarget(call.Mode);
        return CallUpdate.Decide(
            call,
            ResponseClassifier.Classify(target, call, response),
            target.Retry,
            target.LookupDelay,
            random: 0.5
        );
    }
}
