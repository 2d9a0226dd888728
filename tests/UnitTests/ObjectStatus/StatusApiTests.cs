using System.Net;
using Sagas.Services.ObjectStatus;
using Sagas.Services.ObjectStatus.Fetch;

namespace Sagas.UnitTests.ObjectStatus;

public sealed class StatusApiTests
{
    [Theory]
    [InlineData("1", 200, """{"id":1,"online":true}""", "Online")]
    [InlineData("1", 200, """{"id":"1","online":false,"more":[]}""", "Offline")]
    [InlineData("lamp", 200, """{"online":true}""", "Online")]
    [InlineData("1", 200, """{"id":2,"online":true}""", "Failed")]
    [InlineData("1", 200, """{"id":1,"online":"yes"}""", "Failed")]
    [InlineData("1", 200, """{"id":1}""", "Failed")]
    [InlineData("1", 200, "[]", "Failed")]
    [InlineData("1", 200, "<html>", "Failed")]
    [InlineData("1", 200, "", "Failed")]
    [InlineData("1", 302, "", "Failed")]
    [InlineData("1", 404, "", "Offline")]
    [InlineData("1", 410, "", "Offline")]
    [InlineData("1", 400, "", "Rejected")]
    [InlineData("1", 422, "", "Rejected")]
    [InlineData("1", 401, "", "Failed")]
    [InlineData("1", 408, "", "Failed")]
    [InlineData("1", 429, "", "Failed")]
    [InlineData("1", 500, "", "Failed")]
    [InlineData("1", 503, "", "Failed")]
    public async Task Answers_are_classified(string id, int code, string body, string kind)
    {
        using var calls = new StatusCalls { Answer = (_, _) => Task.FromResult(StatusCalls.Json(body, (HttpStatusCode)code)) };

        Assert.Equal(kind, (await calls.Api.GetAsync(id)).Kind.ToString());
    }

    [Fact]
    public async Task An_answer_that_is_too_long_or_breaks_off_fails()
    {
        using var calls = new StatusCalls();
        calls.Answer = (_, _) => Task.FromResult(StatusCalls.Json($$"""{"online":true,"more":"{{new string('x', 70_000)}}"}"""));
        Assert.Equal(StatusKind.Failed, (await calls.Api.GetAsync("1")).Kind);

        calls.Answer = (_, _) => throw new HttpRequestException("reset");
        var answer = await calls.Api.GetAsync("1");
        Assert.Equal((StatusKind.Failed, "reset"), (answer.Kind, answer.Reason));
    }

    [Fact]
    public async Task A_call_times_out()
    {
        using var calls = new StatusCalls(new ObjectStatusOptions { AttemptTimeout = TimeSpan.FromMilliseconds(50) });
        calls.Answer = async (_, cancel) =>
        {
            await Task.Delay(Timeout.Infinite, cancel);
            return StatusCalls.Json("");
        };

        var answer = await calls.Api.GetAsync("1").WaitAsync(Eventually.Timeout);

        Assert.Equal((StatusKind.Failed, "no answer within 0.05 s"), (answer.Kind, answer.Reason));
    }

    [Theory]
    [InlineData("1", "/object-status/objects/1")]
    [InlineData("a b/c?d#e%", "/object-status/objects/a%20b%2Fc%3Fd%23e%25")]
    [InlineData("..", "/object-status/objects/..")]
    [InlineData("ü", "/object-status/objects/%C3%BC")]
    public async Task Any_id_is_one_segment_of_the_address(string id, string path)
    {
        using var calls = new StatusCalls();

        await calls.Api.GetAsync(id);

        Assert.Equal([path], calls.Calls);
    }
}
