using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Sagas.OutboundCalls;
using Sagas.Services.Crm;

namespace Sagas.UnitTests.Crm;

/// <summary>What is sent to the CRM, and how its answers are classified.</summary>
public sealed class CrmTargetTests
{
    private const string Ada = """{"customerId":"a/d a?.","version":2,"firstName":"Ada"}""";

    [Theory]
    [InlineData(CallMode.IdempotencyKey, true)]
    [InlineData(CallMode.Lookup, false)]
    [InlineData(CallMode.AtMostOnce, false)]
    public async Task A_key_is_sent_only_to_a_CRM_that_honours_it(CallMode mode, bool sent)
    {
        using var request = Target(mode).CreateRequest(Call(mode));

        Assert.Equal((HttpMethod.Post, "http://crm/api/customers"), (request.Method, request.RequestUri!.ToString()));
        Assert.Equal(sent, request.Headers.Contains("Idempotency-Key"));
        Assert.Equal("Bearer secret", request.Headers.GetValues("Authorization").Single());
        Assert.Equal(Ada, await request.Content!.ReadAsStringAsync());
    }

    [Fact]
    public void A_lookup_escapes_any_id()
    {
        using var request = Target(CallMode.Lookup).CreateLookup(Call(CallMode.Lookup));

        Assert.Equal("/api/customers?customerId=a%2Fd%20a%3F.", request.RequestUri!.PathAndQuery);
    }

    [Theory]
    [InlineData(200, """{"customerId":"a/d a?.","version":2}""", CallOutcomeKind.Succeeded)]
    [InlineData(200, """{"customerId":"a/d a?.","version":1}""", CallOutcomeKind.Unknown)]
    [InlineData(200, """{"customerId":"other","version":2}""", CallOutcomeKind.Unknown)]
    [InlineData(201, """{"ok":true}""", CallOutcomeKind.Unknown)]
    [InlineData(200, "<html>", CallOutcomeKind.Unknown)]
    [InlineData(422, """{"reason":"no"}""", CallOutcomeKind.AttemptRejected)]
    [InlineData(404, "<html>", CallOutcomeKind.Retryable)]
    [InlineData(500, "", CallOutcomeKind.Unknown)]
    [InlineData(429, "", CallOutcomeKind.Retryable)]
    [InlineData(302, "", CallOutcomeKind.Unknown)]
    public void Only_an_answer_that_names_the_data_proves_them_stored(int code, string body, CallOutcomeKind expected) =>
        Assert.Equal(expected, ResponseClassifier.Classify(Target(), Call(), Answer(code, body)).Kind);

    [Theory]
    [InlineData(200, """{"customerId":"a/d a?.","version":2}""", CallOutcomeKind.Succeeded)]
    [InlineData(200, """{"customerId":"a/d a?.","version":3}""", CallOutcomeKind.Succeeded)]
    [InlineData(200, """{"customerId":"a/d a?.","version":1}""", CallOutcomeKind.Retryable)]
    [InlineData(404, """{"title":"Not found"}""", CallOutcomeKind.Retryable)]
    [InlineData(404, "<html>", CallOutcomeKind.Unknown)]
    [InlineData(200, "<html>", CallOutcomeKind.Unknown)]
    [InlineData(401, "{}", CallOutcomeKind.Unknown)]
    [InlineData(503, "{}", CallOutcomeKind.Unknown)]
    public void Only_the_CRM_itself_can_say_that_nothing_is_stored(int code, string body, CallOutcomeKind expected) =>
        Assert.Equal(
            expected,
            ResponseClassifier.ClassifyLookup(Target(CallMode.Lookup), Call(CallMode.Lookup), Answer(code, body)).Kind
        );

    [Fact]
    public void The_reason_of_a_rejection_is_one_line_of_limited_length()
    {
        var outcome = ResponseClassifier.Classify(
            Target(),
            Call(),
            Answer(422, JsonSerializer.Serialize(new { reason = "no\n" + new string('x', 1000) }))
        );

        Assert.StartsWith("422: no x", outcome.Description);
        Assert.InRange(outcome.Description.Length, 100, 250);
    }

    [Fact]
    public async Task A_batch_has_a_key_and_a_result_for_each_call()
    {
        var target = Target();
        OutboundCall[] calls = [Named("1"), Named("2"), Named("3"), Named("4")];
        using var request = target.CreateBatchRequest(calls);
        var sent = JsonDocument.Parse(await request.Content!.ReadAsStringAsync()).RootElement.GetProperty("customers");
        Assert.Equal("http://crm/api/many", request.RequestUri!.ToString());
        Assert.Equal(
            calls.Select(call => call.IdempotencyKey),
            sent.EnumerateArray().Select(customer => customer.GetProperty("idempotencyKey").GetString())
        );

        var response = Answer(
            200,
            """
            {"results":[
                {"customerId":"3","status":503},
                {"customerId":"1","status":201,"version":2},
                {"customerId":"2","status":422,"reason":"no"},
                {"customerId":"9","status":201,"version":2}
            ]}
            """
        );
        var outcomes = calls.Zip(
            ResponseClassifier.Split(target, calls, response),
            (call, own) => ResponseClassifier.Classify(target, call, own).Kind
        );

        Assert.Equal(
            [CallOutcomeKind.Succeeded, CallOutcomeKind.AttemptRejected, CallOutcomeKind.Unknown, CallOutcomeKind.Unknown],
            outcomes
        );
        Assert.All(
            ResponseClassifier.Split(target, calls, Answer(200, "garbage")),
            own => Assert.Equal(CallOutcomeKind.Unknown, ResponseClassifier.Classify(target, calls[0], own).Kind)
        );
    }

    [Fact]
    public void Invalid_options_are_reported_without_the_secret()
    {
        string[] problems =
        [
            .. new CrmOptions
            {
                Url = "ftp://crm",
                BatchPath = "a?b",
                Authorization = "Bearer secret\n",
                Mode = (CallMode)9,
                Calls = new OutboundCallOptions { CallTimeout = TimeSpan.Zero },
            }.Validate(),
        ];

        Assert.Equal(5, problems.Length);
        Assert.All(problems, problem => Assert.DoesNotContain("secret", problem));
        Assert.Empty(new CrmOptions().Validate());
    }

    private static CrmTarget Target(CallMode mode = CallMode.IdempotencyKey) =>
        new(
            Options.Create(
                new CrmOptions
                {
                    Url = "http://crm/api/",
                    Mode = mode,
                    BatchSize = 10,
                    BatchPath = "/many",
                    Authorization = "Bearer secret",
                }
            )
        );

    private static OutboundCall Call(CallMode mode = CallMode.IdempotencyKey) =>
        new("key/2", mode, Ada, 1, false, TimeSpan.Zero, null, Guid.NewGuid());

    private static OutboundCall Named(string id) =>
        Call() with
        {
            IdempotencyKey = $"key-{id}/2",
            Request = $$"""{"customerId":"{{id}}","version":2}""",
        };

    private static CallResponse Answer(int code, string body) =>
        new((HttpStatusCode)code, Encoding.UTF8.GetBytes(body), true, null);
}
