using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sagas.IntegrationTests.OutboundCalls;

/// <summary>How a request fails.</summary>
internal enum Wrong
{
    Nothing,
    TooManyRequests,
    UnavailableBefore,
    ErrorBefore,
    ErrorAfter,
    HangsBefore,
    HangsAfter,
    ResetBefore,
    ResetAfter,
    GarbageAfter,
    HalfAnswerAfter,
    Redirects,
    Declines,
    Rejects,
    NoAccess,
}

/// <summary>A third party on a real socket that fails on demand and counts its effects.</summary>
internal sealed class FailingGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly bool _honoursKeys;
    private int _atOnce;
    private int _mostAtOnce;

    private FailingGateway(WebApplication app, bool honoursKeys) => (_app, _honoursKeys) = (app, honoursKeys);

    public Uri Url { get; private set; } = null!;

    /// <summary>How often each key had its effect.</summary>
    public ConcurrentDictionary<string, int> Effects { get; } = new();

    /// <summary>How often each key was sent.</summary>
    public ConcurrentDictionary<string, int> Requests { get; } = new();

    /// <summary>How the n-th request (from 1) of a key fails.</summary>
    public Func<string, int, Wrong> Plan { get; set; } = (_, _) => Wrong.Nothing;

    /// <summary>Raised when a request has had its effect, before its answer.</summary>
    public Action<string>? HadEffect { get; set; }

    /// <summary>Raised when a request gets no answer until its caller gives up.</summary>
    public Action<string>? Hangs { get; set; }

    public TimeSpan Latency { get; set; }

    /// <summary>The header of that name of answers that ask for a pause.</summary>
    public string RetryAfter { get; set; } = "0";

    /// <summary>The highest number of requests in progress at the same time.</summary>
    public int MostAtOnce => Volatile.Read(ref _mostAtOnce);

    public static async Task<FailingGateway> StartAsync(bool honoursKeys = true)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var gateway = new FailingGateway(app, honoursKeys);
        app.MapPost("/payments", gateway.PayAsync);
        app.MapGet(
            "/payments/{key}",
            (string key) =>
                gateway.Effects.ContainsKey(key)
                    ? Results.Json(new { reference = "gw-" + key, status = "captured" })
                    : Results.NotFound()
        );
        await app.StartAsync();
        gateway.Url = new(
            app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
                .Features.Get<IServerAddressesFeature>()!
                .Addresses.First()
        );
        return gateway;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        var now = Interlocked.Increment(ref _atOnce);
        for (var most = MostAtOnce; now > most; most = MostAtOnce)
            Interlocked.CompareExchange(ref _mostAtOnce, now, most);
        await Task.Delay(Latency, cancellationToken);
        Interlocked.Decrement(ref _atOnce);
    }

    private async Task PayAsync(HttpContext context)
    {
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        var wrong = Plan(key, Requests.AddOrUpdate(key, 1, (_, count) => count + 1));
        if (Latency > TimeSpan.Zero)
            await WaitAsync(context.RequestAborted);
        if (
            wrong
            is Wrong.Nothing
                or Wrong.ErrorAfter
                or Wrong.HangsAfter
                or Wrong.ResetAfter
                or Wrong.GarbageAfter
                or Wrong.HalfAnswerAfter
        )
        {
            Effects.AddOrUpdate(key, 1, (_, count) => _honoursKeys ? 1 : count + 1);
            HadEffect?.Invoke(key);
        }

        await AnswerAsync(context, key, wrong);
    }

    private async Task AnswerAsync(HttpContext context, string key, Wrong wrong)
    {
        var response = context.Response;
        switch (wrong)
        {
            case Wrong.TooManyRequests or Wrong.UnavailableBefore:
                response.StatusCode = wrong == Wrong.TooManyRequests ? 429 : 503;
                response.Headers.RetryAfter = RetryAfter;
                return;
            case Wrong.ErrorBefore or Wrong.ErrorAfter:
                response.StatusCode = 500;
                return;
            case Wrong.HangsBefore or Wrong.HangsAfter:
                Hangs!(key);
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            case Wrong.ResetBefore or Wrong.ResetAfter:
                context.Abort();
                return;
            case Wrong.GarbageAfter:
                response.StatusCode = 201;
                await response.WriteAsync("<html>welcome</html>");
                return;
            case Wrong.HalfAnswerAfter:
                response.StatusCode = 201;
                response.ContentLength = 1000;
                await response.WriteAsync("{\"reference\":\"gw-");
                await response.Body.FlushAsync();
                context.Abort();
                return;
            case Wrong.Redirects:
                response.Redirect("/elsewhere");
                return;
            case Wrong.Declines:
                response.StatusCode = 402;
                await response.WriteAsJsonAsync(new { status = "declined", reason = "insufficient funds" });
                return;
            case Wrong.Rejects or Wrong.NoAccess:
                response.StatusCode = wrong == Wrong.Rejects ? 400 : 401;
                return;
            default:
                response.StatusCode = 201;
                response.ContentType = "application/json";
                await response.Body.WriteAsync(Encoding.UTF8.GetBytes($$"""{"reference":"gw-{{key}}","status":"captured"}"""));
                return;
        }
    }
}
