using System.Diagnostics;
using System.Net;
using Sagas.Services.ObjectStatus;
using Sagas.Services.ObjectStatus.Fetch;

namespace Sagas.HarnessTests.ObjectStatus;

public sealed class StatusApiGateTests
{
    private static readonly ObjectStatusOptions _quick = new()
    {
        RetryDelay = TimeSpan.FromMilliseconds(1),
        Hold = TimeSpan.FromSeconds(30),
    };

    private static Task<HttpResponseMessage> Code(HttpStatusCode code) => Task.FromResult(StatusCalls.Json("", code));

    private static Task<HttpResponseMessage> Online() => Task.FromResult(StatusCalls.Json("""{"online":true}"""));

    [Fact]
    public async Task A_call_that_fails_is_made_again_as_often_as_allowed()
    {
        using var calls = new StatusCalls(_quick) { Answer = (call, _) => call < 3 ? Code(HttpStatusCode.InternalServerError) : Online() };
        Assert.Equal(StatusKind.Online, (await calls.Gate.AskAsync("1")).Kind);
        Assert.Equal(3, calls.Calls.Count);

        calls.Answer = (_, _) => Code(HttpStatusCode.InternalServerError);
        Assert.Equal(StatusKind.Failed, (await calls.Gate.AskAsync("1")).Kind);
        Assert.Equal(6, calls.Calls.Count);
    }

    [Fact]
    public async Task An_answer_that_is_final_is_not_asked_for_again()
    {
        using var calls = new StatusCalls(_quick) { Answer = (_, _) => Code(HttpStatusCode.BadRequest) };

        Assert.Equal(StatusKind.Refused, (await calls.Gate.AskAsync("1")).Kind);
        Assert.Single(calls.Calls);
    }

    [Fact]
    public async Task No_more_calls_are_made_at_once_than_allowed()
    {
        using var calls = new StatusCalls(_quick with { InFlight = 7 })
        {
            Answer = async (_, _) =>
            {
                await Task.Delay(5);
                return await Online();
            },
        };

        await Task.WhenAll(Enumerable.Range(1, 100).Select(number => calls.Gate.AskAsync($"{number}")));

        Assert.Equal(100, calls.Calls.Count);
        Assert.Equal(7, calls.MostInFlight);
    }

    [Fact]
    public async Task An_API_that_is_down_is_left_alone_but_for_a_call_now_and_then_and_answers_all_when_it_is_back()
    {
        using var calls = new StatusCalls(_quick);
        var down = true;
        calls.Answer = (_, _) => Volatile.Read(ref down) ? Code(HttpStatusCode.ServiceUnavailable) : Online();

        var asked = Enumerable.Range(1, 500).Select(number => calls.Gate.AskAsync($"{number}")).ToArray();
        // Longer than the first break: there was a probe, and not more.
        await Task.Delay(TimeSpan.FromSeconds(1.5));
        var meanwhile = calls.Calls.Count;
        Volatile.Write(ref down, false);
        var answers = await Task.WhenAll(asked).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.InRange(meanwhile, 20, 100);
        // Those that had used up their attempts before the breaker opened are put off; all others have their answer.
        Assert.InRange(answers.Count(answer => answer.Kind == StatusKind.Online), 450, 500);
    }

    [Fact]
    public async Task A_message_is_held_no_longer_than_allowed()
    {
        using var calls = new StatusCalls(_quick with { Hold = TimeSpan.FromSeconds(2), Attempts = 20 })
        {
            Answer = (_, _) => Code(HttpStatusCode.ServiceUnavailable),
        };
        var watch = Stopwatch.StartNew();

        var answers = await Task.WhenAll(Enumerable.Range(1, 100).Select(number => calls.Gate.AskAsync($"{number}")));

        Assert.All(answers, answer => Assert.Equal(StatusKind.Failed, answer.Kind));
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task What_the_API_asks_to_wait_is_waited()
    {
        using var calls = new StatusCalls(_quick)
        {
            Answer = (call, _) =>
            {
                var answer = StatusCalls.Json("""{"online":true}""", call == 1 ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK);
                answer.Headers.RetryAfter = new(TimeSpan.FromSeconds(1));
                return Task.FromResult(answer);
            },
        };
        var watch = Stopwatch.StartNew();

        Assert.Equal(StatusKind.Online, (await calls.Gate.AskAsync("1")).Kind);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(0.95), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_stop_gives_back_what_waits_and_lets_calls_in_flight_end()
    {
        var answer = new TaskCompletionSource();
        using var calls = new StatusCalls(_quick with { InFlight = 1 })
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
}
