using System.Net;
using System.Net.Http.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Sagas.IntegrationTests.Host;

public sealed class OperationsTests(OperationsTests.Shared shared) : IClassFixture<OperationsTests.Shared>
{
    private const string Key = "a-key-that-is-long-enough";

    private static async Task<HttpResponseMessage> SendAsync(TestSystem system, HttpMethod method, string path, string? key)
    {
        using var request = new HttpRequestMessage(method, path);
        if (key is not null)
            request.Headers.Add("X-Api-Key", key);
        return await system.Http.SendAsync(request);
    }

    [Fact]
    public async Task An_expired_payment_is_revived_with_the_key_only()
    {
        const string revive = "/operations/payments/p-1/revive";
        const string revived = "SELECT count(*) FROM saga_transition WHERE event = 'RevivePayment'";
        var system = await shared.StartedAsync();
        await system.PublishAsync("PaymentRequested", """{"paymentId":"p-1","customerId":"c","amount":1,"currency":"EUR"}""");
        await system.WaitForAsync("SELECT count(*) FROM payment_state WHERE current_state = 'Expired'", 1L);
        foreach (var key in (string?[])[null, Key + "x"])
        {
            using var rejected = await SendAsync(system, HttpMethod.Post, revive, key);
            await Problem.ReadDetailAsync(rejected, HttpStatusCode.Unauthorized);
        }
        Assert.Equal(0L, await system.QueryAsync<long>(revived));
        using var accepted = await SendAsync(system, HttpMethod.Post, revive, Key);
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        await system.WaitForAsync(revived, 1L);
    }

    [Theory]
    [InlineData("/operations/payments/p/revive?requestedBy=ada%0Aroot", "requestedBy must be one line")]
    [InlineData("/operations/payments/p%0A1/revive", "The payment id must not contain control characters")]
    [InlineData("/operations/customers/c/retry-sync?requestedBy=ada%0Aroot", "requestedBy must be one line")]
    [InlineData("/operations/crm/retry?requestedBy=ada%0Aroot", "requestedBy must be one line")]
    public async Task A_value_with_a_line_break_is_answered_with_a_problem(string path, string expected)
    {
        using var response = await SendAsync(await shared.StartedAsync(), HttpMethod.Post, path, Key);
        Assert.Contains(expected, await Problem.ReadDetailAsync(response, HttpStatusCode.BadRequest));
    }

    [Theory]
    [InlineData("/nowhere", HttpStatusCode.NotFound)]
    [InlineData("/files/customers", HttpStatusCode.MethodNotAllowed)]
    [InlineData("/retry?file=x", HttpStatusCode.BadRequest)]
    [InlineData("/retry?id=a%00b", HttpStatusCode.BadRequest)]
    public async Task Unknown_paths_and_malformed_requests_are_answered_with_a_problem(string path, HttpStatusCode status)
    {
        using var response = await SendAsync(await shared.StartedAsync(), HttpMethod.Get, path, Key);
        await Problem.ReadDetailAsync(response, status);
    }

    [Theory]
    [InlineData("POST", "/retry?alert=x", "Unknown parameter 'alert'; nothing was done. Known: file, id.")]
    [InlineData("GET", "/retry?ids=x", "Unknown parameter 'ids'; nothing was done. Did you mean 'id'?")]
    [InlineData("POST", "/retry?database=x", "Unknown parameter 'database'; nothing was done. Known: file, id.")]
    [InlineData("POST", "/operations/crm/retry?id=x", "Unknown parameter 'id'; nothing was done. Known: requestedBy.")]
    [InlineData("POST", "/operations/customers/c/retry-sync?version=1", "Unknown parameter 'version'; nothing was done.")]
    [InlineData("POST", "/operations/payments/p/revive?id=p", "Unknown parameter 'id'; nothing was done.")]
    [InlineData("GET", "/api/v1/overview?x=1", "Unknown parameter 'x'; nothing was done. There are no parameters here.")]
    [InlineData("POST", "/files/customers?kind=x", "Unknown parameter 'kind'; nothing was done. Known: name.")]
    [InlineData("POST", "/files/alerts?nam=x", "Unknown parameter 'nam'; nothing was done. Did you mean 'name'?")]
    public async Task An_unknown_parameter_is_rejected(string method, string path, string detail)
    {
        using var response = await SendAsync(await shared.StartedAsync(), new HttpMethod(method), path, Key);
        Assert.StartsWith(detail, await Problem.ReadDetailAsync(response, HttpStatusCode.BadRequest));
    }

    [Theory]
    [InlineData("/retry?file=")]
    [InlineData("/retry?id=")]
    public async Task A_parameter_without_its_value_selects_nothing(string path)
    {
        using var response = await SendAsync(await shared.StartedAsync(), HttpMethod.Post, path, Key);
        Assert.False(response.IsSuccessStatusCode);
    }

    [Fact]
    public async Task MassTransit_reports_no_usage_to_its_vendor() =>
        Assert.False((await shared.StartedAsync()).Services.GetRequiredService<IOptions<UsageTelemetryOptions>>().Value.Enabled);

    public sealed class Shared()
        : SharedSystem(
            new ServersFixture(),
            ("Operations:ApiKey", Key),
            ("Payments:Redelivery:BaseDelay", "00:00:00.1"),
            ("Payments:Redelivery:Timeout", "00:00:00.2")
        );
}
