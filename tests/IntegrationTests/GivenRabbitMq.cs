using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;

namespace Sagas.IntegrationTests;

/// <summary>
/// The broker that <c>SAGAS_TEST_RABBITMQ</c> names. Virtual hosts are made through its management plugin: at
/// <c>SAGAS_TEST_RABBITMQ_MANAGEMENT</c>, or at port 15672 of the same host.
/// </summary>
internal sealed class GivenRabbitMq : IAsyncDisposable
{
    private readonly Uri _uri;
    private readonly string _user;
    private readonly HttpClient _management;

    public GivenRabbitMq(Uri uri, Uri? management)
    {
        _uri = uri;
        var credentials = Uri.UnescapeDataString(uri.UserInfo.Length > 0 ? uri.UserInfo : "guest:guest");
        _user = credentials.Split(':')[0];
        _management = new HttpClient { BaseAddress = management ?? new Uri($"http://{uri.Host}:15672/") };
        _management.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
    }

    public static GivenRabbitMq? FromEnvironment()
    {
        var management = Environment.GetEnvironmentVariable("SAGAS_TEST_RABBITMQ_MANAGEMENT");
        return Environment.GetEnvironmentVariable("SAGAS_TEST_RABBITMQ") is { Length: > 0 } given
            ? new GivenRabbitMq(new Uri(given), string.IsNullOrEmpty(management) ? null : new Uri(management))
            : null;
    }

    public async Task<Uri> CreateVirtualHostAsync(string name)
    {
        var permissions = new { configure = ".*", write = ".*", read = ".*" };
        (await _management.PutAsJsonAsync($"api/vhosts/{name}", new { })).EnsureSuccessStatusCode();
        (await _management.PutAsJsonAsync($"api/permissions/{name}/{Uri.EscapeDataString(_user)}", permissions)).EnsureSuccessStatusCode();
        return new Uri(_uri, $"/{name}");
    }

    public async Task DeleteVirtualHostAsync(string name) =>
        (await _management.DeleteAsync(new Uri($"api/vhosts/{name}", UriKind.Relative))).EnsureSuccessStatusCode();

    public ValueTask DisposeAsync()
    {
        _management.Dispose();
        return ValueTask.CompletedTask;
    }
}
