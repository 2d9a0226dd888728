using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sagas.Services.ObjectStatus;
using Sagas.Services.ObjectStatus.Fetch;

namespace Sagas.UnitTests.ObjectStatus;

/// <summary>A status API without a socket, and the code that calls it.</summary>
internal sealed class StatusCalls : HttpMessageHandler, IHttpClientFactory, IHostApplicationLifetime
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private int _inFlight;

    public StatusCalls(ObjectStatusOptions? options = null, TimeProvider? timeProvider = null)
    {
        timeProvider ??= TimeProvider.System;
        var given = Options.Create(options ?? new ObjectStatusOptions { AttemptTimeout = Eventually.Timeout });
        Api = new StatusApi(this, given, timeProvider);
        var metrics = new ObjectStatusMetrics(
            new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>()
        );
        Gate = new StatusApiGate(Api, given, timeProvider, metrics, this, NullLogger<StatusApiGate>.Instance);
    }

    public StatusApi Api { get; }

    public StatusApiGate Gate { get; }

    /// <summary>The addresses that were called.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    public int MostInFlight { get; private set; }

    /// <summary>Answers the n-th call, from 1.</summary>
    public Func<int, CancellationToken, Task<HttpResponseMessage>> Answer { get; set; } =
        (_, _) => Task.FromResult(Json("""{"online":true}"""));

    public CancellationToken ApplicationStarted => default;

    public CancellationToken ApplicationStopping => _stopping.Token;

    public CancellationToken ApplicationStopped => default;

    public static HttpResponseMessage Json(string body, HttpStatusCode code = HttpStatusCode.OK) =>
        new(code) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    public HttpClient CreateClient(string name) => new(this, disposeHandler: false);

    public void StopApplication() => _stopping.Cancel();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        int call;
        lock (_lock)
        {
            Calls.Enqueue(request.RequestUri!.PathAndQuery);
            call = Calls.Count;
            MostInFlight = Math.Max(MostInFlight, ++_inFlight);
        }

        try
        {
            return await Answer(call, cancellationToken);
        }
        finally
        {
            lock (_lock)
                _inFlight--;
        }
    }

    protected override void Dispose(bool disposing)
    {
        _stopping.Dispose();
        base.Dispose(disposing);
    }
}
