using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;

namespace Sagas.EndToEndTests.ObjectStatus;

/// <summary>Posts ids as the callback's callers do: one post after the other, each cancelled after a second and posted again, to
/// the next process.</summary>
/// <param name="ports">The processes' callbacks.</param>
/// <param name="objects">How many distinct ids there are.</param>
internal sealed class CallbackClient(IReadOnlyList<int> ports, int objects) : IDisposable
{
    private const int IdsPerPost = 100;

    private static readonly TimeSpan _betweenPosts = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(1) };
    private readonly ConcurrentQueue<string> _acknowledged = new();

    /// <summary>The ids of posts that were answered with 200.</summary>
    public IReadOnlyCollection<string> Acknowledged => _acknowledged;

    /// <summary>The share of ids that are acknowledged, from 0 to 1.</summary>
    public double Share => (double)_acknowledged.Count / objects;

    /// <summary>Posts that were not answered with 200 in time.</summary>
    public int Failures { get; private set; }

    /// <summary>Posts every id until it is acknowledged.</summary>
    public async Task PostAllAsync(CancellationToken cancellationToken)
    {
        var post = 0;
        var all = Enumerable.Range(1, objects).Select(number => string.Create(CultureInfo.InvariantCulture, $"o-{number}"));
        foreach (var ids in all.Chunk(IdsPerPost))
        {
            while (!await PostAsync(ports[post++ % ports.Count], ids, cancellationToken))
            {
                Failures++;
                await Task.Delay(_betweenPosts, cancellationToken);
            }

            foreach (var id in ids)
                _acknowledged.Enqueue(id);
            await Task.Delay(_betweenPosts, cancellationToken);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<bool> PostAsync(int port, string[] ids, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.PostAsJsonAsync(
                $"http://127.0.0.1:{port}/callback",
                new { object_ids = ids },
                cancellationToken
            );
            return response.IsSuccessStatusCode;
        }
        // Killed, unavailable, or too slow.
        catch (Exception e)
            when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
