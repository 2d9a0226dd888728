using System.Net;
using Microsoft.Extensions.Time.Testing;
using Sagas.Services.ObjectStatus;
using Sagas.Services.ObjectStatus.Fetch;

namespace Sagas.UnitTests.ObjectStatus;

public sealed class StatusApiGateTests
{
    private static readonly ObjectStatusOptions _quick = new()
    {
        RetryDelay = TimeSpan.FromMilliseconds(1),
        MaxHold = TimeSpan.FromDays(1),
        AttemptTimeout = TimeSpan.FromDays(1),
    };

    private readonly FakeTimeProvider _timeProvider = new();

    private static Task<HttpResponseMessage> Code(HttpStatusCode code) => Task.FromResult(StatusCalls.Json("", code));

    private static Task<HttpResponseMessage> Online() => Task.FromResult(StatusCalls.Json("""{"online":true}"""));

    [Fact]
    public async Task A_failing_call_is_retried_as_often_as_allowed()
    {
        using var calls = new StatusCalls(_quick)
        {
            Answer = (call, _) => call < 3 ? Code(HttpStatusCode.InternalServerError) : Online(),
        };
        Assert.Equal(StatusKind.Online, (await calls.Gate.AskAsync("1")).Kind);
        Assert.Equal(3, calls.Calls.Count);

        calls.Answer = (_, _) => Code(HttpStatusCode.InternalServerError);
        Assert.Equal(StatusKind.Failed, (await calls.Gate.AskAsync("1")).Kind);
        Assert.Equal(6, calls.Calls.Count);
    }

    [Fact]
    public async Task A_final_answer_is_not_retried()
    {
        using var calls = new StatusCalls(_quick) { Answer = (_, _) => Code(HttpStatusCode.BadRequest) };

        Assert.Equal(StatusKind.Rejected, (await calls.Gate.AskAsync("1")).Kind);
        Assert.Single(calls.Calls);
    }

    [Fact]
    public async Task No_more_calls_are_made_at_once_than_allowed()
    {
        var answer = new TaskCompletionSource();
        using var calls = new StatusCalls(_quick with { MaxConcurrency = 7 })
        {
            Answer = async (_, _) =>
            {
                await answer.Task;
                await Task.Yield();
                return await Online();
            },
        };

        var asked = Task.WhenAll(Enumerable.Range(1, 100).Select(number => calls.Gate.AskAsync($"{number}")));
        await Eventually.TrueAsync("seven calls are made", () => calls.Calls.Count >= 7);
        answer.SetResult();
        await asked;

        Assert.Equal(100, calls.Calls.Count);
        Assert.Equal(7, calls.MostInFlight);
    }

    [Fact]
    public async Task An_API_that_is_down_gets_only_occasional_probes_and_answers_all_when_it_is_back()
    {
        using var calls = new StatusCalls(_quick with { MaxAttempts = 20 }, _timeProvider);
        var down = true;
        calls.Answer = (_, _) => Volatile.Read(ref down) ? Code(HttpStatusCode.ServiceUnavailable) : Online();

        var asked = await AskAsync(calls, 500);
        Assert.Equal(20, calls.Calls.Count);
        await PassAsync(TimeSpan.FromSeconds(20), TimeSpan.FromMilliseconds(100));
        // The break doubles from one second: probes after 1, 3, 7 and 15 seconds, and no more.
        Assert.InRange(calls.Calls.Count, 20, 24);
        await _timeProvider.AdvanceUntilAsync("the API is probed", () => calls.Calls.Count > 20, TimeSpan.FromMilliseconds(100));
        Volatile.Write(ref down, false);
        var answers = Task.WhenAll(asked);
        await _timeProvider.AdvanceUntilAsync("all are answered", () => answers.IsCompleted, TimeSpan.FromMilliseconds(250));

        Assert.All(await answers, answer => Assert.Equal(StatusKind.Online, answer.Kind));
    }

    [Fact]
    public async Task A_message_is_held_no_longer_than_allowed()
    {
        using var calls = new StatusCalls(_quick with { MaxHold = TimeSpan.FromSeconds(2), MaxAttempts = 20 }, _timeProvider)
        {
            Answer = (_, _) => Code(HttpStatusCode.ServiceUnavailable),
        };

        var asked = await AskAsync(calls, 100);
        await PassAsync(TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(50));

        // The clock does not move from here on.
        var answers = await Task.WhenAll(asked).WaitAsync(Eventually.Timeout);
        Assert.All(answers, answer => Assert.Equal(StatusKind.Failed, answer.Kind));
    }

    [Fact]
    public async Task Retry_After_is_obeyed()
    {
        var called = new List<DateTimeOffset>();
        using var calls = new StatusCalls(_quick, _timeProvider)
        {
            Answer = (call, _) =>
            {
                called.Add(_timeProvider.GetUtcNow());
                var answer = StatusCalls.Json(
                    """{"online":true}""",
                    call == 1 ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK
                );
                answer.Headers.RetryAfter = new(TimeSpan.FromSeconds(1));
                return Task.FromResult(answer);
            },
        };

        var asked = calls.Gate.AskAsync("1");
        await _timeProvider.AdvanceUntilAsync("the object is known", () => asked.IsCompleted, TimeSpan.FromMilliseconds(50));

        Assert.Equal(StatusKind.Online, (await asked).Kind);
        Assert.True(called[1] - called[0] >= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_stop_cancels_waiting_requests_and_finishes_calls_in_flight()
    {
        var answer = new TaskCompletionSource();
        using var calls = new StatusCalls(_quick with { MaxConcurrency = 1 })
        {
            Answer = async (_, _) =>
            {
                await answer.Task;
                return await Online();
            },
        };
        var inFlight = calls.Gate.AskAsync("in flight");
        var waits = calls.Gate.AskAsync("waits");

        calls.StopApplication();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        answer.SetResult();

        Assert.Equal(StatusKind.Online, (await inFlight).Kind);
    }

    // Outside the test's synchronization context: work that a step of the clock starts is done when the step returns.
    private static Task<Task<StatusAnswer>[]> AskAsync(StatusCalls calls, int count) =>
        Task.Run(() => Enumerable.Range(1, count).Select(number => calls.Gate.AskAsync($"{number}")).ToArray());

    private async Task PassAsync(TimeSpan duration, TimeSpan step)
    {
        for (var end = _timeProvider.GetUtcNow() + duration; _timeProvider.GetUtcNow() < end; )
            await _timeProvider.StepAsync(step);
    }
}
