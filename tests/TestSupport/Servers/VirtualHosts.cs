using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;

namespace Sagas.TestSupport.Servers;

/// <summary>Creates and deletes virtual hosts of a broker through its management plugin.</summary>
public sealed class VirtualHosts : IDisposable
{
    private readonly Uri _uri;
    private readonly string _user;
    private readonly HttpClient _management;

    /// <summary>Uses a broker.</summary>
    /// <param name="uri">Its AMQP address with user and password.</param>
    /// <param name="management">Its management plugin; port 15672 of the same host where not given.</param>
    public VirtualHosts(Uri uri, Uri? management)
    {
        _uri = uri;
        var credentials = Uri.UnescapeDataString(uri.UserInfo.Length > 0 ? uri.UserInfo : "guest:guest");
        _user = credentials.Split(':')[0];
        _management = new HttpClient
        {
            BaseAddress = management ?? new Uri($"http://{uri.Host}:15672/"),
            Timeout = Eventually.Timeout,
        };
        _management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))
        );
    }

    /// <summary>The broker of <c>SAGAS_TEST_RABBITMQ</c> and <c>SAGAS_TEST_RABBITMQ_MANAGEMENT</c>, or null.</summary>
    public static VirtualHosts? FromEnvironment()
    {
        var management = Environment.GetEnvironmentVariable("SAGAS_TEST_RABBITMQ_MANAGEMENT");
        return Environment.GetEnvironmentVariable("SAGAS_TEST_RABBITMQ") is { Length: > 0 } given
            ? new VirtualHosts(new Uri(given), string.IsNullOrEmpty(management) ? null : new Uri(management))
            : null;
    }

    /// <summary>Creates a virtual host in which the user may do everything.</summary>
    /// <returns>Its AMQP address.</returns>
    public async Task<Uri> CreateAsync(string name)
    {
        var permissions = new
        {
            configure = ".*",
            write = ".*",
            read = ".*",
        };
        using var created = await _management.PutAsJsonAsync($"api/vhosts/{name}", new { });
        created.EnsureSuccessStatusCode();
        using var permitted = await _management.PutAsJsonAsync(
            $"api/permissions/{name}/{Uri.EscapeDataString(_user)}",
            permissions
        );
        permitted.EnsureSuccessStatusCode();
        return new Uri(_uri, $"/{name}");
    }

    /// <summary>Deletes a virtual host with all that is in it.</summary>
    public async Task DeleteAsync(string name)
    {
        using var deleted = await _management.DeleteAsync(new Uri($"api/vhosts/{name}", UriKind.Relative));
        deleted.EnsureSuccessStatusCode();
    }

    /// <inheritdoc/>
    public void Dispose() => _management.Dispose();
}
