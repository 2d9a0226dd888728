using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Sagas.Contracts;
using Sagas.OutboundCalls;
using Sagas.Services.Messages;
using Sagas.Services.Modules;
using Sagas.Services.Payments;
using Sagas.UnitTests.OutboundCalls;

namespace Sagas.UnitTests.Payments;

/// <summary>What is sent to the gateway and what its answers mean.</summary>
public sealed class PaymentGatewayTargetTests
{
    private static readonly OutboundCall _call = new(
        "7a5d3c1e-0000-5000-8000-000000000001",
        CallMode.IdempotencyKey,
        JsonSerializer.Serialize(new ProcessPayment("p-1", "c-1", 12.30m, "EUR"), JsonSerializerOptions.Web),
        1,
        false,
        TimeSpan.Zero,
        null,
        null
    );

    private readonly PaymentGateway _gateway = new(
        Options.Create(new PaymentsOptions { GatewayUrl = "https://pay.example/v1/" }),
        new FakeTimeProvider()
    );

    [Fact]
    public async Task The_same_request_is_sent_each_time_with_the_same_key()
    {
        var bodies = new List<string>();
        foreach (var attempt in new[] { 1, 2 })
        {
            using var request = _gateway.CreateRequest(_call with { Attempts = attempt });
            Assert.Equal("https://pay.example/v1/payments", request.RequestUri!.ToString());
            Assert.Equal(_call.IdempotencyKey, Assert.Single(request.Headers.GetValues("Idempotency-Key")));
            Assert.Equal("application/json", request.Content!.Headers.ContentType!.ToString());
            Assert.NotNull(request.Content.Headers.ContentLength);
            bodies.Add(await request.Content.ReadAsStringAsync());
        }

        Assert.Equal("""{"paymentId":"p-1","customerId":"c-1","amount":12.30,"currency":"EUR"}""", bodies[0]);
        Assert.Equal(bodies[0], bodies[1]);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(201)]
    public void A_capture_is_published_with_its_reference(int status)
    {
        var outcome = _gateway.ReadSuccess(_call, Answer(status, """{"reference":"gw-9","status":"captured","more":1}"""));

        Assert.Equal(CallOutcomeKind.Succeeded, outcome.Kind);
        Assert.Equal(new PaymentProcessed("p-1", "c-1", "gw-9", new FakeTimeProvider().GetUtcNow()), outcome.Event);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"status":"captured"}""")]
    [InlineData("""{"reference":"","status":"captured"}""")]
    [InlineData("""{"reference":"gw-9"}""")]
    [InlineData("""{"reference":"gw-9","status":"pending"}""")]
    [InlineData("""{"reference":42,"status":"captured"}""")]
    public void A_success_without_a_valid_body_is_an_unknown_outcome(string body) =>
        Assert.Equal(CallOutcomeKind.Unknown, _gateway.ReadSuccess(_call, Answer(200, body)).Kind);

    [Theory]
    [InlineData(402, """{"status":"declined","reason":"insufficient\nfunds"}""", CallOutcomeKind.Rejected, "insufficient funds")]
    [InlineData(402, "oops", CallOutcomeKind.Rejected, "declined without a reason")]
    [InlineData(422, "", CallOutcomeKind.AttemptRejected, "the gateway knows this payment with other data (422)")]
    [InlineData(400, "", CallOutcomeKind.AttemptRejected, "the gateway rejected the request (400)")]
    public void A_rejection_is_published_with_its_reason(int status, string body, CallOutcomeKind kind, string reason)
    {
        var outcome = _gateway.ReadRejection(_call, Answer(status, body));

        Assert.Equal(kind, outcome.Kind);
        Assert.Equal(new PaymentDeclined("p-1", "c-1", reason, new FakeTimeProvider().GetUtcNow()), outcome.Event);
    }

    [Theory]
    [InlineData("localhost:5081")]
    [InlineData("/payments")]
    [InlineData("ftp://gateway")]
    [InlineData("")]
    [InlineData("http://user:secret@gateway")]
    [InlineData("http://gateway?key=1")]
    public void An_invalid_address_stops_the_start(string url)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Payments:GatewayUrl", url)]).Build();
        using var services = Services(configuration);

        var error = Assert.Throws<OptionsValidationException>(() =>
            services.GetRequiredService<IOptions<PaymentsOptions>>().Value
        );

        Assert.Contains("Payments:GatewayUrl", Assert.Single(error.Failures));
        Assert.DoesNotContain("secret", error.Message);
    }

    [Fact]
    public void Calls_and_retries_are_configurable()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([
                new("Payments:GatewayUrl", "http://gateway:81/"),
                new("Payments:Calls:CallTimeout", "00:00:03"),
                new("Payments:Retry:MaxAttempts", "7"),
            ])
            .Build();
        using var services = Services(configuration);

        var gateway = services.GetRequiredService<PaymentGateway>();

        Assert.Equal(TimeSpan.FromSeconds(3), gateway.Options.CallTimeout);
        var update = CallUpdate.Decide(
            SomeTarget.Call(attempts: 7),
            CallOutcome.Unknown("500"),
            gateway.Retry,
            gateway.LookupDelay,
            random: 0
        );
        Assert.Equal("parked", update.State);
    }

    private static ServiceProvider Services(IConfiguration configuration)
    {
        var services = new ServiceCollection();
        new PaymentsModule().AddServices(
            services,
            new FeatureContext(new RoleSet([PaymentsModule.GatewayRole]), configuration, new MessagesOptions())
        );
        return services.BuildServiceProvider();
    }

    private static CallResponse Answer(int status, string body) =>
        new((HttpStatusCode)status, Encoding.UTF8.GetBytes(body), true, null);
}
