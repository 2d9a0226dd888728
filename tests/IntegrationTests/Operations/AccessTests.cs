using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sagas.IntegrationTests.Host;
using Sagas.Services.Operations;

namespace Sagas.IntegrationTests.Operations;

/// <summary>Who may do what.</summary>
public sealed class AccessTests(OperatorSystem shared) : IClassFixture<OperatorSystem>
{
    // For programs without a key, or with one of their own: health, the callback, assets, and signing in.
    private static readonly string[] _open =
    [
        "/health/live",
        "/health/ready",
        "/callback",
        "/assets/{hash}/{name}",
        "/sign-in",
        "/_framework/opaque-redirect",
    ];

    [Fact]
    public async Task Every_endpoint_needs_a_key_apart_from_those_that_are_known_not_to()
    {
        var system = await shared.StartedAsync();
        var open = system
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint =>
                endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
                || (
                    endpoint.Metadata.GetMetadata<IAuthorizeData>() is null
                    && endpoint.Metadata.GetMetadata<OperatorKey.Required>() is null
                )
            )
            .Select(endpoint => "/" + endpoint.RoutePattern.RawText!.TrimStart('/'))
            .Distinct()
            .Except(_open)
            .ToArray();

        Assert.True(open.Length == 0, $"Nothing guards {string.Join(", ", open)}.");
    }

    [Fact]
    public async Task Every_endpoint_that_changes_something_turns_a_viewer_away()
    {
        var system = await shared.StartedAsync();
        var changing = system
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint =>
                endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is { } methods
                && methods.HttpMethods.Contains("POST")
                && endpoint.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal)
            )
            .Select(endpoint => System.Text.RegularExpressions.Regex.Replace(endpoint.RoutePattern.RawText!, "{[^}]+}", "x"))
            .ToArray();
        Assert.NotEmpty(changing);
        foreach (var path in changing)
        {
            using var viewer = await SendAsync(system, HttpMethod.Post, path, OperatorSystem.ViewerKey);
            Assert.True(viewer.StatusCode == HttpStatusCode.Forbidden, $"{path} answers {viewer.StatusCode} to a viewer.");
            using var nobody = await SendAsync(system, HttpMethod.Post, path, null);
            Assert.True(nobody.StatusCode == HttpStatusCode.Unauthorized, $"{path} answers {nobody.StatusCode} without a key.");
        }
    }

    [Theory]
    [InlineData("Authorization", "Bearer " + OperatorSystem.ViewerKey, HttpStatusCode.OK)]
    [InlineData("X-Api-Key", OperatorSystem.ViewerKey, HttpStatusCode.OK)]
    [InlineData("X-Api-Key", OperatorSystem.ViewerKey + "x", HttpStatusCode.Unauthorized)]
    [InlineData("X-Api-Key", "", HttpStatusCode.Unauthorized)]
    public async Task A_key_is_sent_in_either_header(string header, string value, HttpStatusCode expected)
    {
        var system = await shared.StartedAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/targets");
        request.Headers.TryAddWithoutValidation(header, value);
        using var response = await system.Http.SendAsync(request);
        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task A_page_asks_to_sign_in_and_a_wrong_key_does_not()
    {
        using var browser = new DashboardBrowser((await shared.StartedAsync()).Http.BaseAddress!);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/payments?state=Expired");
        using var response = await browser.SendAsync(request);
        Assert.Equal("/sign-in?returnTo=%2Fpayments%3Fstate%3DExpired", response.Headers.Location!.PathAndQuery);

        var page = await browser.GetAsync("/sign-in");
        using var failed = await browser.PostAsync("/sign-in", page, ("key", "wrong"), ("returnTo", "//evil.example"));
        Assert.Equal("/sign-in?failed=true&returnTo=%2F", failed.Headers.Location!.ToString());
    }

    [Fact]
    public async Task The_session_cookie_is_strict_and_out_of_reach_of_scripts()
    {
        using var browser = new DashboardBrowser((await shared.StartedAsync()).Http.BaseAddress!);
        var page = await browser.GetAsync("/sign-in");
        using var response = await browser.PostAsync("/sign-in", page, ("key", OperatorSystem.Key), ("returnTo", "/"));
        var cookie = Assert.Single(
            response.Headers.GetValues("Set-Cookie"),
            value => value.StartsWith("sagas=", StringComparison.Ordinal)
        );
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_form_without_its_token_changes_nothing()
    {
        var browser = await shared.SignInAsync();
        using var response = await browser.PostAsync("/actions/pause", page: "", ("target", "payment-gateway"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Pages_allow_no_script_of_others_and_nothing_unsafe()
    {
        var system = await shared.StartedAsync();
        using var response = await SendAsync(system, HttpMethod.Get, "/", OperatorSystem.Key);
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        var html = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain("style=", html, StringComparison.Ordinal);
        Assert.DoesNotContain("src=\"http", html, StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> SendAsync(TestSystem system, HttpMethod method, string path, string? key)
    {
        using var request = new HttpRequestMessage(method, path);
        if (key is not null)
            request.Headers.Add("X-Api-Key", key);
        return await system.Http.SendAsync(request);
    }
}
