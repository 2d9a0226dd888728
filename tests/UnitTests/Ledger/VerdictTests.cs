using System.Net;
using System.Text;
using Sagas.Services.Ledger;

namespace Sagas.UnitTests.Ledger;

/// <summary>What each answer means for a call, in each mode.</summary>
public sealed class VerdictTests
{
    [Theory]
    [InlineData(200, LedgerMode.IdempotencyKey, false, "done", false)]
    [InlineData(402, LedgerMode.IdempotencyKey, false, "failed", false)]
    [InlineData(402, LedgerMode.IdempotencyKey, true, "failed", false)]
    [InlineData(404, LedgerMode.IdempotencyKey, false, "failed", false)]
    // An earlier attempt may have happened, and 404 says nothing of it: a person decides.
    [InlineData(404, LedgerMode.IdempotencyKey, true, "parked", true)]
    [InlineData(409, LedgerMode.IdempotencyKey, false, "failed", false)]
    // The earlier attempt may still be at work.
    [InlineData(409, LedgerMode.IdempotencyKey, true, "waiting", true)]
    [InlineData(429, LedgerMode.IdempotencyKey, false, "waiting", false)]
    [InlineData(429, LedgerMode.IdempotencyKey, true, "waiting", true)]
    [InlineData(500, LedgerMode.IdempotencyKey, false, "waiting", true)]
    [InlineData(302, LedgerMode.IdempotencyKey, false, "waiting", true)]
    [InlineData(408, LedgerMode.IdempotencyKey, false, "waiting", true)]
    [InlineData(404, LedgerMode.Lookup, true, "failed", false)]
    [InlineData(502, LedgerMode.Lookup, false, "waiting", true)]
    [InlineData(425, LedgerMode.AtMostOnce, false, "waiting", false)]
    [InlineData(429, LedgerMode.AtMostOnce, false, "waiting", false)]
    [InlineData(501, LedgerMode.AtMostOnce, false, "waiting", false)]
    [InlineData(408, LedgerMode.AtMostOnce, false, "parked", true)]
    [InlineData(500, LedgerMode.AtMostOnce, false, "parked", true)]
    [InlineData(502, LedgerMode.AtMostOnce, false, "parked", true)]
    [InlineData(503, LedgerMode.AtMostOnce, false, "parked", true)]
    [InlineData(504, LedgerMode.AtMostOnce, false, "parked", true)]
    [InlineData(302, LedgerMode.AtMostOnce, false, "parked", true)]
    [InlineData(400, LedgerMode.AtMostOnce, false, "failed", false)]
    public void A_status_decides_the_state(int status, LedgerMode mode, bool maybe, string state, bool maybeAfter)
    {
        var outcome = Decide(SomeTarget.Call(mode, maybe), Answer(status));

        Assert.Equal((state, maybeAfter), (outcome.State, outcome.MayHaveHappened));
        Assert.Equal(state is "done" or "failed", outcome.Event is not null);
        Assert.Equal(state == "waiting", outcome.Delay is not null);
    }

    [Fact]
    public void A_503_with_retry_after_is_the_servers_own_refusal()
    {
        var outcome = Decide(SomeTarget.Call(LedgerMode.AtMostOnce), Answer(503) with { RetryAfter = TimeSpan.FromSeconds(7) });

        Assert.Equal(("waiting", false), (outcome.State, outcome.MayHaveHappened));
        Assert.Equal(TimeSpan.FromSeconds(7), outcome.Delay);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(402)]
    public void Half_an_answer_is_no_answer(int status)
    {
        var outcome = Decide(SomeTarget.Call(), Answer(status) with { Complete = false });

        Assert.Equal(("waiting", true), (outcome.State, outcome.MayHaveHappened));
    }

    [Fact]
    public void An_answer_that_the_target_stumbles_over_is_no_answer()
    {
        var outcome = Decide(SomeTarget.Call(), Answer(200) with { Body = default });

        Assert.Equal(("waiting", true, "200: unreadable (InvalidOperationException)"), (outcome.State, outcome.MayHaveHappened, outcome.LastOutcome));
    }

    [Theory]
    [InlineData(404, LedgerVerdictKind.NothingHappened)]
    [InlineData(402, LedgerVerdictKind.Declined)]
    // Refused access to the lookup, or a lookup that fails, is no word on the call.
    [InlineData(401, LedgerVerdictKind.Unknown)]
    [InlineData(429, LedgerVerdictKind.Unknown)]
    [InlineData(500, LedgerVerdictKind.Unknown)]
    [InlineData(302, LedgerVerdictKind.Unknown)]
    public void A_lookup_counts_only_when_the_target_answers_it(int status, LedgerVerdictKind kind) =>
        Assert.Equal(kind, AnswerReader.JudgeLookup(new SomeTarget(), SomeTarget.Call(LedgerMode.Lookup, true), Answer(status)).Kind);

    [Fact]
    public void A_lookup_waits_until_the_target_can_have_ended_the_call()
    {
        var options = new LedgerOptions { LookupDelay = TimeSpan.FromSeconds(42) };

        var outcome = LedgerOutcome.Decide(SomeTarget.Call(LedgerMode.Lookup), LedgerVerdict.Unknown("lost"), options, random: 0.5);

        Assert.Equal(TimeSpan.FromSeconds(42), outcome.Delay);
    }

    [Fact]
    public void What_is_given_up_is_parked_with_its_last_outcome()
    {
        var options = new LedgerOptions { MaxAttempts = 5, MaxAge = TimeSpan.FromHours(1) };
        var lost = LedgerVerdict.Unknown("connection lost");

        Assert.Equal("waiting", LedgerOutcome.Decide(SomeTarget.Call(attempts: 4), lost, options, 0).State);
        var attempts = LedgerOutcome.Decide(SomeTarget.Call(attempts: 5), lost, options, 0);
        var age = LedgerOutcome.Decide(SomeTarget.Call(age: TimeSpan.FromHours(2)), lost, options, 0);

        Assert.Equal(("parked", "connection lost; given up after 5 attempts"), (attempts.State, attempts.LastOutcome));
        Assert.Equal(("parked", true), (age.State, age.MayHaveHappened));
        Assert.Null(attempts.Delay);
    }

    [Fact]
    public void What_people_read_has_no_control_characters_and_bounded_length()
    {
        var outcome = LedgerOutcome.Park(SomeTarget.Call(), "a\0b\r\n" + new string('x', 1000), false);

        Assert.StartsWith("a b  xxx", outcome.LastOutcome);
        Assert.Equal(300, outcome.LastOutcome!.Length);
    }

    private static LedgerAnswer Answer(int status) => new((HttpStatusCode)status, Encoding.UTF8.GetBytes("{}"), Complete: true, RetryAfter: null);

    private static LedgerOutcome Decide(LedgerCall call, LedgerAnswer answer)
    {
        var target = new SomeTarget(call.Mode);
        return LedgerOutcome.Decide(call, AnswerReader.Judge(target, call, answer), target.Options, random: 0.5);
    }
}
