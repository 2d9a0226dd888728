using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Sagas.IntegrationTests.ObjectStatus;

/// <summary>A status API on a real socket that answers on demand: 200 with online or not, or any other code.</summary>
internal sealed class StatusApiDouble : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _inFlight;
    private int _mostInFlight;

    private StatusApiDouble(WebApplication app) => _app = app;

    public string Url { get; private set; } = "";

    /// <summary>How often each object was requested.</summary>
    public ConcurrentDictionary<string, int> Calls { get; } = new();

    public int CallCount => Calls.Values.Sum();

    /// <summary>The most calls at once so far.</summary>
    public int MostInFlight => Volatile.Read(ref _mostInFlight);

    /// <summary>The HTTP status of the n-th call (from 1) for an object.</summary>
    public Func<string, int, int> Code { get; set; } = (_, _) => StatusCodes.Status200OK;

    /// <summary>Awaited before each answer.</summary>
    public Func<string, Task> Before { get; set; } = _ => Task.CompletedTask;

    public static async Task<StatusApiDouble> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var api = new StatusApiDouble(builder.Build());
        api._app.MapGet("/objects/{id}", api.AnswerAsync);
        await api._app.StartAsync();
        api.Url = api._app.Urls.Single();
        return api;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context, string id)
    {
        // A slash stays escaped, since routing would take it for a separator.
        id = id.Replace("%2F", "/", StringComparison.Ordinal);
        var now = Interlocked.Increment(ref _inFlight);
        for (var most = MostInFlight; now > most; most = MostInFlight)
            Interlocked.CompareExchange(ref _mostInFlight, now, most);
        try
        {
            var call = Calls.AddOrUpdate(id, 1, (_, count) => count + 1);
            await Before(id);
            context.Response.StatusCode = Code(id, call);
            var online = !int.TryParse(id, CultureInfo.InvariantCulture, out var number) || number % 2 == 0;
            if (context.Response.StatusCode == StatusCodes.Status200OK)
                await context.Response.WriteAsJsonAsync(new { id, online });
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }
}
