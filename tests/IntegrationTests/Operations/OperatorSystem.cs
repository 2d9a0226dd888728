using System.Net;
using System.Text.RegularExpressions;
using Sagas.IntegrationTests.Host;
using Sagas.Services.Http;

namespace Sagas.IntegrationTests.Operations;

/// <summary>A system with a key for each role.</summary>
public sealed class OperatorSystem()
    : SharedSystem(
        new ServersFixture(),
        ("Operations:Keys", $"wall:viewer:{Hash(ViewerKey)},anna:operator:{Hash(Key)}"),
        ("Payments:Redelivery:BaseDelay", "01:00:00"),
        ("Payments:Redelivery:MaxDelay", "01:00:00")
    )
{
    public const string Key = "the-key-of-an-operator";
    public const string ViewerKey = "the-key-of-a-viewer-xx";

    private readonly Dictionary<string, DashboardBrowser> _signedIn = [];

    /// <summary>A browser that is signed in; one for each key, since signing in is limited.</summary>
    internal async Task<DashboardBrowser> SignInAsync(string key = Key)
    {
        if (_signedIn.TryGetValue(key, out var known))
            return known;
        var browser = new DashboardBrowser((await StartedAsync()).Http.BaseAddress!);
        await browser.SignInAsync(key);
        return _signedIn[key] = browser;
    }

    public override async Task DisposeAsync()
    {
        foreach (var browser in _signedIn.Values)
            browser.Dispose();
        await base.DisposeAsync();
    }

    private static string Hash(string key) => Convert.ToHexStringLower(ApiKey.HashOf(key));
}

/// <summary>What a browser without JavaScript does: cookies, and forms with their hidden fields.</summary>
internal sealed partial class DashboardBrowser(Uri address) : IDisposable
{
    private readonly HttpClient _http = new(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = address };

    public async Task SignInAsync(string key)
    {
        var page = await GetAsync("/sign-in?returnTo=/audit");
        using var response = await PostAsync("/sign-in", page, ("key", key), ("returnTo", "/audit"));
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
    }

    public async Task<string> GetAsync(string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await _http.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(expected, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => _http.SendAsync(request);

    /// <summary>Sends a form of a page with the page's token.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, string page, params (string Name, string Value)[] fields) =>
        _http.PostAsync(
            new Uri(path, UriKind.Relative),
            new FormUrlEncodedContent([
                .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value)),
                new("__RequestVerificationToken", Token().Match(page).Groups[1].Value),
            ])
        );

    public void Dispose() => _http.Dispose();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
